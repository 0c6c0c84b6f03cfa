// docs/microarchitecture.md, "Row stationary (rs)". The mapping, the stride and the dilation are the configuration of
// the array; a job's sizes come at run time. The page's register `input` is `input_`.
module row_stationary
  import row_stationary_types::*;
#(
    parameter int R = 2,
    parameter int C = 2,
    parameter int WP = 1,
    parameter int IP = 1,
    parameter int OP = 1,
    parameter int FW = 12,
    parameter int IW = 4,
    parameter int PW = 3,
    parameter int H = 1,
    parameter int W = 1,
    parameter int Q = 1,
    parameter int P = 1,
    parameter int RSETS = 1,  // the page's r
    parameter int E = 1,
    parameter int T = 1,
    parameter int D = 1,
    parameter int SY = 1,
    parameter int SX = 1,
    parameter int DY = 1,
    parameter int DX = 1,
    parameter int WORD = 16,
    parameter int SUM = 32,
    parameter int CHAINS = R / (H * RSETS) * C
) (
    input  logic                  clk,
    input  sizes_t                sizes,
    output logic [WP*32-1:0]      filter_address,  // an address of -1 is a missing word: zero
    input  logic [WP*WORD-1:0]    filter_word,
    output logic [IP*32-1:0]      image_address,
    input  logic [IP*WORD-1:0]    image_word,
    output logic [CHAINS-1:0]     result_valid,
    output logic [CHAINS*32-1:0]  result_address,
    output logic [CHAINS*SUM-1:0] result_word,
    input  logic [CHAINS*SUM-1:0] partial_word,    // what the buffer holds at result_address
    output logic                  busy
);
  localparam int PLACES = H * RSETS;
  localparam int GRID = gcd(DX, SX);
  localparam int NEW_COLUMNS = min(W, SX / GRID);
  localparam int Z = image_rows_below((E - 1) * SY + (H - 1) * DY + 1, E, H, SY, DY);
  localparam int WINDOW_WORDS = Z * RSETS * Q * D * W;
  localparam int CONTROL = $bits(control_t);
  localparam int RESULT = $bits(result_t);

  // The registers of the page.
  logic [R*C*FW*WORD-1:0] filter;
  logic [R*C*IW*WORD-1:0] input_;
  logic [R*C*PW*SUM-1:0] psum;
  logic [R*C*SUM-1:0] product;
  logic [R*C*SUM-1:0] chain;
  logic [CHAINS*SUM-1:0] sum = '0;

  initial
    if (P * Q * W > FW || Q * W > IW || P > PW || PLACES > R || E * T * D > CHAINS)
      $fatal(1, "the mapping does not fit in the array");

  // Control of place 0.
  position_t coming;
  control_t control;
  result_t sequencer_result;
  logic sequencer_result_valid, sequencer_busy;
  int image_phase;

  row_stationary_sequencer #(
      .H(H),
      .W(W),
      .Q(Q),
      .P(P),
      .RSETS(RSETS),
      .E(E),
      .T(T),
      .D(D),
      .RUNS(DX / GRID),
      .NEW_COLUMNS(NEW_COLUMNS),
      .LC(ceil(PLACES * T * D * P * Q * W, WP)),
      .I0(ceil(WINDOW_WORDS, IP)),
      .I1(ceil(Z * RSETS * Q * D * NEW_COLUMNS, IP)),
      .O(ceil(E * T * D * P, OP))
  ) sequencer (
      .clk(clk),
      .sizes(sizes),
      .coming(coming),
      .image_phase(image_phase),
      .control(control),
      .result_valid(sequencer_result_valid),
      .result(sequencer_result),
      .busy(sequencer_busy)
  );

  // The ports.
  logic [WP*32-1:0] load_address;
  logic [WINDOW_WORDS*WORD-1:0] window_words;

  assign filter_address = control.load ? load_address : {WP * 32{1'b1}};

  row_stationary_filter_port #(
      .WP(WP),
      .H(H),
      .W(W),
      .Q(Q),
      .P(P),
      .RSETS(RSETS),
      .T(T),
      .D(D)
  ) filter_port (
      .sizes(sizes),
      .coming(coming),
      .load_step(control.load_step),
      .address(load_address)
  );

  row_stationary_image_port #(
      .IP(IP),
      .WORD(WORD),
      .H(H),
      .W(W),
      .Q(Q),
      .RSETS(RSETS),
      .E(E),
      .D(D),
      .SY(SY),
      .SX(SX),
      .DY(DY),
      .DX(DX),
      .Z(Z),
      .NEW_COLUMNS(NEW_COLUMNS)
  ) image_port (
      .clk(clk),
      .sizes(sizes),
      .coming(coming),
      .phase(image_phase),
      .fresh(control.fresh),
      .real_columns(control.real_columns),
      .new_from(control.new_from),
      .address(image_address),
      .word(image_word),
      .gathered(window_words)
  );

  // From place to place everything is a cycle later.
  logic [PLACES*CONTROL-1:0] control_at;
  logic [PLACES*WP*WORD-1:0] filter_words_at;
  logic [PLACES*WINDOW_WORDS*WORD-1:0] window_words_at;

  row_stationary_delay #(
      .WIDTH(CONTROL),
      .TAPS (PLACES)
  ) control_delay (
      .clk (clk),
      .now (control),
      .taps(control_at)
  );

  row_stationary_delay #(
      .WIDTH(WP * WORD),
      .TAPS (PLACES)
  ) filter_delay (
      .clk (clk),
      .now (filter_word),
      .taps(filter_words_at)
  );

  row_stationary_delay #(
      .WIDTH(WINDOW_WORDS * WORD),
      .TAPS (PLACES)
  ) window_delay (
      .clk (clk),
      .now (window_words),
      .taps(window_words_at)
  );

  // The PEs.
  genvar r, c, z;
  generate
    for (r = 0; r < R; r = r + 1) begin : pe_row
      for (c = 0; c < C; c = c + 1) begin : pe_column
        localparam int N = r * C + c;
        localparam int CHAIN = r / PLACES * C + c;
        if (CHAIN < CHAINS && CHAIN < E * T * D) begin : works
          localparam int PLACE = r % PLACES;
          localparam int Y = CHAIN % E;
          localparam int I = PLACE % H;
          localparam int PART = PLACE / H;
          localparam int SET = CHAIN / E % T;
          localparam int GROUP = CHAIN / (E * T);
          localparam int IMAGE_ROW = image_rows_below(Y * SY + I * DY, E, H, SY, DY);
          logic [SUM-1:0] chain_before;
          if (PLACE == 0) begin : first_place
            assign chain_before = '0;
          end else begin : further_place
            assign chain_before = chain[(N-C)*SUM+:SUM];
          end
          row_stationary_pe #(
              .WP(WP),
              .FW(FW),
              .IW(IW),
              .PW(PW),
              .W(W),
              .Q(Q),
              .P(P),
              .NEW_COLUMNS(NEW_COLUMNS),
              .WINDOW_WORDS(WINDOW_WORDS),
              .WORD(WORD),
              .SUM(SUM),
              .OUTPUT_ROW(Y),
              .FILTER_ROW(I),
              .FIRST_FILTER(((PLACE * D + GROUP) * T + SET) * P * Q * W),
              .FIRST_WINDOW(((IMAGE_ROW * D + GROUP) * RSETS + PART) * Q)
          ) pe (
              .clk(clk),
              .control(control_at[PLACE*CONTROL+:CONTROL]),
              .filter_words(filter_words_at[PLACE*WP*WORD+:WP*WORD]),
              .window_words(window_words_at[PLACE*WINDOW_WORDS*WORD+:WINDOW_WORDS*WORD]),
              .chain_before(chain_before),
              .filter(filter[N*FW*WORD+:FW*WORD]),
              .input_(input_[N*IW*WORD+:IW*WORD]),
              .psum(psum[N*PW*SUM+:PW*SUM]),
              .product(product[N*SUM+:SUM]),
              .chain(chain[N*SUM+:SUM])
          );
        end else begin : idle
          assign filter[N*FW*WORD+:FW*WORD] = '0;
          assign input_[N*IW*WORD+:IW*WORD] = '0;
          assign psum[N*PW*SUM+:PW*SUM] = '0;
          assign product[N*SUM+:SUM] = '0;
          assign chain[N*SUM+:SUM] = '0;
        end
      end
    end
  endgenerate

  // Accumulate: a cycle after the add of the last place.
  logic [PLACES:0] result_valid_at;
  logic [(PLACES+1)*RESULT-1:0] result_at;
  result_t result;

  row_stationary_delay #(
      .WIDTH(1),
      .TAPS (PLACES + 1)
  ) valid_delay (
      .clk (clk),
      .now (sequencer_result_valid),
      .taps(result_valid_at)
  );

  row_stationary_delay #(
      .WIDTH(RESULT),
      .TAPS (PLACES + 1)
  ) result_delay (
      .clk (clk),
      .now (sequencer_result),
      .taps(result_at)
  );

  assign result = result_at[PLACES*RESULT+:RESULT];
  assign busy = sequencer_busy || result_valid_at != '0;

  generate
    for (z = 0; z < CHAINS; z = z + 1) begin : result_lane
      if (z < E * T * D) begin : works
        localparam int LAST_PLACE = (z / C * PLACES + PLACES - 1) * C + z % C;
        int group, filter_number, row;
        assign group = result.position.group + z / (E * T);
        assign filter_number = result.position.filter + z / E % T * P + result.f;
        assign row = result.position.row + z % E;
        assign result_valid[z] = result_valid_at[PLACES];
        assign result_address[z*32+:32] =
            group < sizes.groups && filter_number < sizes.filters && row < sizes.rows
            ? (((group * sizes.images + result.position.image) * sizes.filters + filter_number) * sizes.rows + row)
              * sizes.columns + result.position.column
            : -1;
        assign result_word[z*SUM+:SUM] =
            chain[LAST_PLACE*SUM+:SUM] + (result.first_block ? {SUM{1'b0}} : partial_word[z*SUM+:SUM]);
        always_ff @(posedge clk) if (result_valid[z]) sum[z*SUM+:SUM] <= result_word[z*SUM+:SUM];
      end else begin : idle
        assign result_valid[z] = 1'b0;
        assign result_address[z*32+:32] = -1;
        assign result_word[z*SUM+:SUM] = '0;
      end
    end
  endgenerate
endmodule
