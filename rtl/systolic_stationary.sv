// docs/microarchitecture.md, "Systolic array", "Stationary (ws, is)".
//
// A fold loads its R rows of weights, then makes V + R + C - 2 beats; the next fold follows at once.
module systolic_stationary #(
    parameter int R = 2,
    parameter int C = 2,
    parameter int SP = 1,
    parameter int MP = 1,
    parameter int OP = 1,
    parameter int WORD = 16,
    parameter int SUM = 32
) (
    input  logic               clk,
    input  int                 V,
    input  int                 D,
    input  int                 N,
    input  int                 GROUPS,
    output logic [SP*32-1:0]   stationary_address,  // an address of -1 is a missing word: zero
    input  logic [SP*WORD-1:0] stationary_word,
    output logic [MP*32-1:0]   moving_address,
    input  logic [MP*WORD-1:0] moving_word,
    output logic [C-1:0]       result_valid,
    output logic [C*32-1:0]    result_address,
    output logic [C*SUM-1:0]   result_word,
    input  logic [C*SUM-1:0]   partial_word,        // what the buffer holds at result_address
    output logic               busy
);
  localparam int ROW_CYCLES = (C + SP - 1) / SP;
  localparam int IN_CYCLES = (R + MP - 1) / MP;
  localparam int OUT_CYCLES = (C + OP - 1) / OP;
  localparam int II = IN_CYCLES > OUT_CYCLES ? IN_CYCLES : OUT_CYCLES;

  // The registers of the page.
  logic [R*C*WORD-1:0] weight = '0;
  logic [R*C*WORD-1:0] in = '0;
  logic [R*C*SUM-1:0] psum = '0;

  // Control.
  logic loading = 1'b1;
  logic streaming = 1'b0;
  int rows_sent = 0;
  int beat = 0;
  int phase = 0;
  int group, first_column, first_row;
  logic shift, beat_ends, fold_ends, last_fold;

  assign shift = loading && phase == ROW_CYCLES - 1;
  assign beat_ends = streaming && phase == II - 1;
  assign fold_ends = beat_ends && beat == V + R + C - 3;
  assign busy = loading || streaming;

  fold_counter #(
      .R(R),
      .C(C)
  ) fold (
      .clk(clk),
      .next(fold_ends),
      .groups(GROUPS),
      .columns(N),
      .inner_size(D),
      .group(group),
      .first_column(first_column),
      .first_inner(first_row),
      .last(last_fold)
  );

  always_ff @(posedge clk) begin
    phase <= shift || beat_ends ? 0 : phase + 1;
    if (shift) begin
      rows_sent <= rows_sent + 1;
      if (rows_sent == R - 1) begin
        loading <= 1'b0;
        streaming <= 1'b1;
        beat <= 0;
      end
    end
    if (beat_ends) beat <= beat + 1;
    if (fold_ends) begin
      streaming <= 1'b0;
      loading <= !last_fold;
      rows_sent <= 0;
    end
  end

  // Load: the last row of the fold first, SP words a cycle; a whole row enters at the top.
  logic [C*WORD-1:0] gathered_row;

  genvar g;
  generate
    for (g = 0; g < SP; g = g + 1) begin : load_lane
      int column, d;
      assign column = phase * SP + g;
      assign d = first_row + R - 1 - rows_sent;
      assign stationary_address[g*32+:32] =
          loading && column < C && first_column + column < N && d < D ? (group * D + d) * N + first_column + column
                                                                      : -1;
    end
  endgenerate

  port_stage #(
      .WORDS(C),
      .PORT (SP),
      .WIDTH(WORD)
  ) stationary_stage (
      .clk(clk),
      .phase(phase),
      .port_words(stationary_word),
      .gathered(gathered_row)
  );

  always_ff @(posedge clk)
    if (shift)
      for (int r = 0; r < R; r++)
        if (r == 0) weight[0+:C*WORD] <= gathered_row;
        else weight[r*C*WORD+:C*WORD] <= weight[(r-1)*C*WORD+:C*WORD];

  // The words for the left edge: row r takes vector beat - r.
  logic [R*WORD-1:0] gathered_edge;

  generate
    for (g = 0; g < MP; g = g + 1) begin : moving_lane
      int row, v;
      assign row = phase * MP + g;
      assign v = beat - row;
      assign moving_address[g*32+:32] =
          streaming && row < R && first_row + row < D && v >= 0 && v < V ? (group * V + v) * D + first_row + row : -1;
    end
  endgenerate

  port_stage #(
      .WORDS(R),
      .PORT (MP),
      .WIDTH(WORD)
  ) moving_stage (
      .clk(clk),
      .phase(phase),
      .port_words(moving_word),
      .gathered(gathered_edge)
  );

  // The PEs.
  logic [R*C-1:0] fire;
  logic [R*C*WORD-1:0] in_next;
  logic [R*C*SUM-1:0] psum_next;

  genvar r, c;
  generate
    for (r = 0; r < R; r = r + 1) begin : pe_row
      for (c = 0; c < C; c = c + 1) begin : pe
        localparam int PE = r * C + c;
        logic [WORD-1:0] x;
        logic [SUM-1:0] p;
        logic [SUM-1:0] xw;
        if (c == 0) begin : from_port
          assign x = gathered_edge[r*WORD+:WORD];
        end else begin : from_left
          assign x = in[(PE-1)*WORD+:WORD];
        end
        if (r == 0) begin : from_zero
          assign p = '0;
        end else begin : from_above
          assign p = psum[(PE-C)*SUM+:SUM];
        end
        assign xw = $signed(x) * $signed(weight[PE*WORD+:WORD]);
        assign fire[PE] = beat_ends && beat >= r + c && beat < r + c + V;
        assign in_next[PE*WORD+:WORD] = fire[PE] ? x : in[PE*WORD+:WORD];
        assign psum_next[PE*SUM+:SUM] = fire[PE] ? p + xw : psum[PE*SUM+:SUM];
      end
    end
  endgenerate

  always_ff @(posedge clk) begin
    in <= in_next;
    psum <= psum_next;
  end

  // The bottom row goes to the buffer as it is written.
  generate
    for (g = 0; g < C; g = g + 1) begin : result_lane
      int v;
      assign v = beat - (R - 1) - g;
      assign result_valid[g] = fire[(R-1)*C+g];
      assign result_address[g*32+:32] =
          v >= 0 && v < V && first_column + g < N ? (group * V + v) * N + first_column + g : -1;
      assign result_word[g*SUM+:SUM] =
          psum_next[((R-1)*C+g)*SUM+:SUM] + (first_row == 0 ? {SUM{1'b0}} : partial_word[g*SUM+:SUM]);
    end
  endgenerate
endmodule
