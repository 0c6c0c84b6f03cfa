// docs/microarchitecture.md, "Systolic array whose folds overlap", "Overlapped, stationary (ws, is)".
//
// The control of the first PE goes down a line of registers, one place a cycle; the PE (r, c) obeys place r + c. The
// words for row r and for column c wait r and c cycles in lines of their own.
module overlapped_stationary #(
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
  localparam int PLACES = R + C - 1;

  // The registers of the page.
  logic [R*C*WORD-1:0] shadow = '0;
  logic [R*C*WORD-1:0] pass = '0;
  logic [R*C*WORD-1:0] weight = '0;
  logic [R*C*WORD-1:0] in = '0;
  logic [R*C*SUM-1:0] psum = '0;

  // Control of the load: the next fold's rows may come from the cycle in which `shadow` is taken.
  logic folds_left = 1'b1;
  logic rows_in_place = 1'b0;
  int rows_sent = 0;
  int load_phase = 0;
  int load_group, load_column, load_row;
  int placed_group = 0;
  int placed_column = 0;
  int placed_row = 0;
  logic loads, row_enters, last_row, load_is_last;

  // Control of the vectors.
  logic streaming = 1'b0;
  int vector = 0;
  int phase = 0;
  int group = 0;
  int first_column = 0;
  int first_row = 0;
  logic enter, last_enter, begins;

  assign enter = streaming && phase == II - 1;
  assign last_enter = enter && vector == V - 1;
  assign begins = rows_in_place && (!streaming || last_enter);
  assign loads = folds_left && (!rows_in_place || begins);
  assign row_enters = loads && load_phase == ROW_CYCLES - 1;
  assign last_row = row_enters && rows_sent == R - 1;

  fold_counter #(
      .R(R),
      .C(C)
  ) load_fold (
      .clk(clk),
      .next(last_row),
      .groups(GROUPS),
      .columns(N),
      .inner_size(D),
      .group(load_group),
      .first_column(load_column),
      .first_inner(load_row),
      .last(load_is_last)
  );

  always_ff @(posedge clk) begin
    if (loads) load_phase <= row_enters ? 0 : load_phase + 1;
    if (row_enters) rows_sent <= last_row ? 0 : rows_sent + 1;
    if (begins) rows_in_place <= 1'b0;
    if (last_row) begin
      rows_in_place <= 1'b1;
      folds_left <= !load_is_last;
      placed_group <= load_group;
      placed_column <= load_column;
      placed_row <= load_row;
    end
    if (streaming) begin
      phase <= enter ? 0 : phase + 1;
      if (enter) vector <= vector + 1;
      if (last_enter) streaming <= 1'b0;
    end
    if (begins) begin
      streaming <= 1'b1;
      vector <= 0;
      phase <= 0;
      group <= placed_group;
      first_column <= placed_column;
      first_row <= placed_row;
    end
  end

  // Words over the ports.
  logic [C*WORD-1:0] gathered_row;
  logic [R*WORD-1:0] gathered_vector;

  genvar g;
  generate
    for (g = 0; g < SP; g = g + 1) begin : load_lane
      int column, d;
      assign column = load_phase * SP + g;
      assign d = load_row + R - 1 - rows_sent;
      assign stationary_address[g*32+:32] =
          loads && column < C && load_column + column < N && d < D ? (load_group * D + d) * N + load_column + column
                                                                   : -1;
    end
    for (g = 0; g < MP; g = g + 1) begin : moving_lane
      int row;
      assign row = phase * MP + g;
      assign moving_address[g*32+:32] =
          streaming && row < R && first_row + row < D ? (group * V + vector) * D + first_row + row : -1;
    end
  endgenerate

  port_stage #(
      .WORDS(C),
      .PORT (SP),
      .WIDTH(WORD)
  ) stationary_stage (
      .clk(clk),
      .phase(load_phase),
      .port_words(stationary_word),
      .gathered(gathered_row)
  );

  port_stage #(
      .WORDS(R),
      .PORT (MP),
      .WIDTH(WORD)
  ) moving_stage (
      .clk(clk),
      .phase(phase),
      .port_words(moving_word),
      .gathered(gathered_vector)
  );

  logic [C*WORD-1:0] top_words;
  logic [R*WORD-1:0] left_words;

  skew_delay #(
      .LANES(C),
      .WIDTH(WORD)
  ) top_skew (
      .clk(clk),
      .words(gathered_row),
      .skewed(top_words)
  );

  skew_delay #(
      .LANES(R),
      .WIDTH(WORD)
  ) left_skew (
      .clk(clk),
      .words(gathered_vector),
      .skewed(left_words)
  );

  // Control on its way: place 0 is the first PE's.
  logic [PLACES:0] row_at, swap_at, vector_at, adds_at;
  logic [(PLACES+1)*32-1:0] result_row_at, result_column_at;
  logic [PLACES-1:0] row_line = '0;
  logic [PLACES-1:0] swap_line = '0;
  logic [PLACES-1:0] vector_line = '0;
  logic [PLACES-1:0] adds_line = '0;
  logic [PLACES*32-1:0] result_row_line = '0;
  logic [PLACES*32-1:0] result_column_line = '0;
  int result_row;

  assign row_at = {row_line, row_enters};
  assign swap_at = {swap_line, begins};
  assign vector_at = {vector_line, enter};
  assign adds_at = {adds_line, first_row != 0};
  assign result_row = group * V + vector;
  assign result_row_at = {result_row_line, result_row};
  assign result_column_at = {result_column_line, first_column};

  always_ff @(posedge clk) begin
    row_line <= row_at[PLACES-1:0];
    swap_line <= swap_at[PLACES-1:0];
    vector_line <= vector_at[PLACES-1:0];
    adds_line <= adds_at[PLACES-1:0];
    result_row_line <= result_row_at[PLACES*32-1:0];
    result_column_line <= result_column_at[PLACES*32-1:0];
  end

  assign busy = folds_left || rows_in_place || streaming || vector_line != '0;

  // The PEs.
  logic [R*C*SUM-1:0] psum_next;

  genvar r, c;
  generate
    for (r = 0; r < R; r = r + 1) begin : pe_row
      for (c = 0; c < C; c = c + 1) begin : pe
        localparam int PE = r * C + c;
        logic [WORD-1:0] x;
        logic [WORD-1:0] from_above;
        logic [SUM-1:0] p;
        logic [SUM-1:0] xw;
        if (c == 0) begin : from_port
          assign x = left_words[r*WORD+:WORD];
        end else begin : from_left
          assign x = in[(PE-1)*WORD+:WORD];
        end
        if (r == 0) begin : at_the_top
          assign p = '0;
          assign from_above = top_words[c*WORD+:WORD];
        end else begin : below
          assign p = psum[(PE-C)*SUM+:SUM];
          assign from_above = pass[(PE-C)*WORD+:WORD];
        end
        assign xw = $signed(x) * $signed(weight[PE*WORD+:WORD]);
        assign psum_next[PE*SUM+:SUM] = vector_at[r+c] ? p + xw : psum[PE*SUM+:SUM];
        always_ff @(posedge clk) begin
          if (row_at[r+c]) begin
            shadow[PE*WORD+:WORD] <= from_above;
            pass[PE*WORD+:WORD] <= shadow[PE*WORD+:WORD];
          end
          if (swap_at[r+c]) weight[PE*WORD+:WORD] <= shadow[PE*WORD+:WORD];
          if (vector_at[r+c]) in[PE*WORD+:WORD] <= x;
        end
      end
    end
  endgenerate

  always_ff @(posedge clk) psum <= psum_next;

  // The bottom row goes to the buffer as it is written.
  generate
    for (g = 0; g < C; g = g + 1) begin : result_lane
      int n;
      assign n = result_column_at[(R-1+g)*32+:32] + g;
      assign result_valid[g] = vector_at[R-1+g];
      assign result_address[g*32+:32] = n < N ? result_row_at[(R-1+g)*32+:32] * N + n : -1;
      assign result_word[g*SUM+:SUM] =
          psum_next[((R-1)*C+g)*SUM+:SUM] + (adds_at[R-1+g] ? partial_word[g*SUM+:SUM] : {SUM{1'b0}});
    end
  endgenerate
endmodule
