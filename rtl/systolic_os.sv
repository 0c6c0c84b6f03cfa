// docs/microarchitecture.md, "Systolic array", "Output stationary (os)".
//
// A fold makes D + R + C - 2 beats. With SERIAL = 0 a result goes to the buffer in the cycle of its last step; with
// SERIAL = 1 the rows of `acc` then shift down and leave at the bottom. The next fold follows at once.
module systolic_os #(
    parameter int R = 2,
    parameter int C = 2,
    parameter int SP = 1,
    parameter int MP = 1,
    parameter int OP = 1,
    parameter int WORD = 16,
    parameter int SUM = 32,
    parameter int SERIAL = 0
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
    output logic [R*C-1:0]     result_valid,
    output logic [R*C*32-1:0]  result_address,
    output logic [R*C*SUM-1:0] result_word,
    output logic               busy
);
  localparam int IN_CYCLES = (R + MP - 1) / MP;
  localparam int FILTER_CYCLES = (C + SP - 1) / SP;
  localparam int II = IN_CYCLES > FILTER_CYCLES ? IN_CYCLES : FILTER_CYCLES;
  localparam int ROW_CYCLES = (C + OP - 1) / OP;

  // The registers of the page.
  logic [R*C*WORD-1:0] in = '0;
  logic [R*C*WORD-1:0] filter = '0;
  logic [R*C*SUM-1:0] acc = '0;

  // Control.
  logic streaming = 1'b1;
  logic draining = 1'b0;
  int beat = 0;
  int phase = 0;
  int rows_drained = 0;
  int group, first_column, first_row;
  logic beat_ends, last_beat, shift, last_shift, fold_ends, last_fold;

  assign beat_ends = streaming && phase == II - 1;
  assign last_beat = beat_ends && beat == D + R + C - 3;
  assign shift = draining && phase == ROW_CYCLES - 1;
  assign last_shift = shift && rows_drained == R - 1;
  assign fold_ends = SERIAL != 0 ? last_shift : last_beat;
  assign busy = streaming || draining;

  fold_counter #(
      .R(R),
      .C(C)
  ) fold (
      .clk(clk),
      .next(fold_ends),
      .groups(GROUPS),
      .columns(N),
      .inner_size(V),
      .group(group),
      .first_column(first_column),
      .first_inner(first_row),
      .last(last_fold)
  );

  always_ff @(posedge clk) begin
    phase <= beat_ends || shift ? 0 : phase + 1;
    if (beat_ends) beat <= beat + 1;
    if (shift) rows_drained <= rows_drained + 1;
    if (last_beat) begin
      streaming <= 1'b0;
      draining <= SERIAL != 0;
      rows_drained <= 0;
    end
    if (last_shift) draining <= 1'b0;
    if (fold_ends) begin
      streaming <= !last_fold;
      beat <= 0;
    end
  end

  // The words for the left and the top edge: row r takes step beat - r, column c step beat - c.
  logic [R*WORD-1:0] gathered_left;
  logic [C*WORD-1:0] gathered_top;

  genvar g;
  generate
    for (g = 0; g < MP; g = g + 1) begin : moving_lane
      int row, d;
      assign row = phase * MP + g;
      assign d = beat - row;
      assign moving_address[g*32+:32] =
          streaming && row < R && first_row + row < V && d >= 0 && d < D ? (group * V + first_row + row) * D + d : -1;
    end
    for (g = 0; g < SP; g = g + 1) begin : stationary_lane
      int column, d;
      assign column = phase * SP + g;
      assign d = beat - column;
      assign stationary_address[g*32+:32] =
          streaming && column < C && first_column + column < N && d >= 0 && d < D
              ? (group * D + d) * N + first_column + column : -1;
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
      .gathered(gathered_left)
  );

  port_stage #(
      .WORDS(C),
      .PORT (SP),
      .WIDTH(WORD)
  ) stationary_stage (
      .clk(clk),
      .phase(phase),
      .port_words(stationary_word),
      .gathered(gathered_top)
  );

  // The PEs.
  logic [R*C-1:0] fire;
  logic [R*C*WORD-1:0] in_next;
  logic [R*C*WORD-1:0] filter_next;
  logic [R*C*SUM-1:0] acc_next;

  genvar r, c;
  generate
    for (r = 0; r < R; r = r + 1) begin : pe_row
      for (c = 0; c < C; c = c + 1) begin : pe
        localparam int PE = r * C + c;
        logic [WORD-1:0] x;
        logic [WORD-1:0] w;
        logic [SUM-1:0] above;
        logic [SUM-1:0] xw;
        if (c == 0) begin : from_left_edge
          assign x = gathered_left[r*WORD+:WORD];
        end else begin : from_left
          assign x = in[(PE-1)*WORD+:WORD];
        end
        if (r == 0) begin : from_top_edge
          assign w = gathered_top[c*WORD+:WORD];
          assign above = acc[PE*SUM+:SUM];
        end else begin : from_above
          assign w = filter[(PE-C)*WORD+:WORD];
          assign above = acc[(PE-C)*SUM+:SUM];
        end
        assign xw = $signed(x) * $signed(w);
        assign fire[PE] = beat_ends && beat >= r + c && beat < r + c + D;
        assign in_next[PE*WORD+:WORD] = fire[PE] ? x : in[PE*WORD+:WORD];
        assign filter_next[PE*WORD+:WORD] = fire[PE] ? w : filter[PE*WORD+:WORD];
        assign acc_next[PE*SUM+:SUM] =
            fire[PE] ? (beat == r + c ? {SUM{1'b0}} : acc[PE*SUM+:SUM]) + xw : shift ? above : acc[PE*SUM+:SUM];
      end
    end
  endgenerate

  always_ff @(posedge clk) begin
    in <= in_next;
    filter <= filter_next;
    acc <= acc_next;
  end

  // Results: lane r C + c belongs to PE (r, c). A serial drain uses the lanes of the bottom row.
  generate
    for (r = 0; r < R; r = r + 1) begin : result_row
      for (c = 0; c < C; c = c + 1) begin : result_lane
        localparam int PE = r * C + c;
        int v;
        if (SERIAL != 0) begin : serial
          assign v = first_row + R - 1 - rows_drained;
          assign result_valid[PE] = r == R - 1 && shift;
          assign result_word[PE*SUM+:SUM] = acc[PE*SUM+:SUM];
        end else begin : free
          assign v = first_row + r;
          assign result_valid[PE] = fire[PE] && beat == r + c + D - 1;
          assign result_word[PE*SUM+:SUM] = acc_next[PE*SUM+:SUM];
        end
        assign result_address[PE*32+:32] =
            v < V && first_column + c < N ? (group * V + v) * N + first_column + c : -1;
      end
    end
  endgenerate
endmodule
