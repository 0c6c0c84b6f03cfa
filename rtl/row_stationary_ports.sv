// docs/microarchitecture.md, "Row stationary (rs)", "Cycles": the filter port and the image port. Both give the address
// of each word that comes in a cycle, or -1 for a missing word, which is zero.

// Lane g of the filter port has word load_step WP + g of the fold.
module row_stationary_filter_port
  import row_stationary_types::*;
#(
    parameter int WP = 1,
    parameter int H = 1,
    parameter int W = 1,
    parameter int Q = 1,
    parameter int P = 1,
    parameter int RSETS = 1,
    parameter int T = 1,
    parameter int D = 1
) (
    input  sizes_t           sizes,
    input  position_t        coming,
    input  int               load_step,
    output logic [WP*32-1:0] address
);
  genvar g;
  generate
    for (g = 0; g < WP; g = g + 1) begin : lane
      int v, place, group, filter, channel, filter_row, filter_column;
      assign v = load_step * WP + g;
      assign place = v / (W * Q * P * T * D);
      assign group = coming.group + v / (W * Q * P * T) % D;
      assign filter = coming.filter + v / (W * Q) % (P * T);  // set P + filter in the PE
      assign channel = coming.channel + place / H * Q + v / W % Q;
      assign filter_row = coming.filter_row + place % H;
      assign filter_column = coming.filter_column + v % W;
      assign address[g*32+:32] =
          place < H * RSETS && group < sizes.groups && filter < sizes.filters && channel < sizes.channels
          && filter_row < sizes.filter_rows && filter_column < sizes.filter_columns
          ? (((group * sizes.filters + filter) * sizes.channels + channel) * sizes.filter_rows + filter_row)
            * sizes.filter_columns + filter_column
          : -1;
    end
  endgenerate
endmodule

// The image port brings each word that is new to the array once. The words of a position are listed by image row (of
// the Z that a set sees, slowest), group, part, channel and column; `gathered` holds them in the cycle of the enter.
module row_stationary_image_port
  import row_stationary_types::*;
#(
    parameter int IP = 1,
    parameter int WORD = 16,
    parameter int H = 1,
    parameter int W = 1,
    parameter int Q = 1,
    parameter int RSETS = 1,
    parameter int E = 1,
    parameter int D = 1,
    parameter int SY = 1,
    parameter int SX = 1,
    parameter int DY = 1,
    parameter int DX = 1,
    parameter int Z = 1,
    parameter int NEW_COLUMNS = 1,
    parameter int WORDS = Z * D * RSETS * Q * W
) (
    input  logic                  clk,
    input  sizes_t                sizes,
    input  position_t             coming,
    input  int                    phase,
    input  logic                  fresh,
    input  int                    real_columns,
    input  int                    new_from,
    output logic [IP*32-1:0]      address,
    input  logic [IP*WORD-1:0]    word,
    output logic [WORDS*WORD-1:0] gathered
);
  logic signed [31:0] image_row_of[0:Z-1];

  initial
    for (int y = 0; y < E; y++)
      for (int i = 0; i < H; i++) image_row_of[image_rows_below(y*SY+i*DY, E, H, SY, DY)] = y * SY + i * DY;

  int columns;
  assign columns = fresh ? W : NEW_COLUMNS;

  genvar g;
  generate
    for (g = 0; g < IP; g = g + 1) begin : lane
      int v, block, group, channel, image_row, j, image_column;
      assign v = phase * IP + g;
      assign block = v / columns;
      assign channel = coming.channel + block % (Q * RSETS);  // part Q + channel in the PE
      assign group = coming.group + block / (Q * RSETS) % D;
      assign image_row = block < Q * RSETS * D * Z
          ? coming.row * SY + coming.filter_row * DY + image_row_of[block/(Q*RSETS*D)] : 0;
      assign j = new_from + v % columns;
      assign image_column = coming.column * SX + (coming.filter_column + j) * DX;
      assign address[g*32+:32] =
          block < Q * RSETS * D * Z && group < sizes.groups && channel < sizes.channels
          && image_row < sizes.image_rows && j < real_columns
          ? (((group * sizes.images + coming.image) * sizes.channels + channel) * sizes.image_rows + image_row)
            * sizes.image_columns + image_column
          : -1;
    end
  endgenerate

  port_stage #(
      .WORDS(WORDS),
      .PORT (IP),
      .WIDTH(WORD)
  ) stage (
      .clk(clk),
      .phase(phase),
      .port_words(word),
      .gathered(gathered)
  );
endmodule
