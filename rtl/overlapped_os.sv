// docs/microarchitecture.md, "Systolic array whose folds overlap", "Overlapped, output stationary (os)".
//
// The control of the first PE goes down a line of registers, one place a cycle; the PE (r, c) obeys place r + c. The
// next fold starts when every step of this one has entered and DC cycles have passed since this one started.
module overlapped_os #(
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
    output logic [R-1:0]       result_valid,
    output logic [R*32-1:0]    result_address,
    output logic [R*SUM-1:0]   result_word,
    output logic               busy
);
  localparam int IN_CYCLES = (R + MP - 1) / MP;
  localparam int FILTER_CYCLES = (C + SP - 1) / SP;
  localparam int II = IN_CYCLES > FILTER_CYCLES ? IN_CYCLES : FILTER_CYCLES;
  localparam int COLUMN_CYCLES = (R + OP - 1) / OP;
  localparam int DC = C * COLUMN_CYCLES;
  localparam int PLACES = R + C - 1;

  // The registers of the page.
  logic [R*C*WORD-1:0] in = '0;
  logic [R*C*WORD-1:0] filter = '0;
  logic [R*C*SUM-1:0] product = '0;
  logic [R*C*SUM-1:0] acc = '0;
  logic [R*C*SUM-1:0] out = '0;
  logic [R*C*SUM-1:0] pass = '0;

  // Control of the steps.
  logic in_fold = 1'b1;
  logic streaming = 1'b1;
  int step = 0;
  int phase = 0;
  int fold_age = 0;  // cycles since the fold's start, up to DC - 1
  int group, first_column, first_row;
  logic enter, last_enter, drain_fits, fold_ends, last_fold;

  assign enter = streaming && phase == II - 1;
  assign last_enter = enter && step == D - 1;
  assign drain_fits = fold_age == DC - 1;
  assign fold_ends = in_fold && (last_enter || !streaming) && drain_fits;

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
    if (streaming) begin
      phase <= enter ? 0 : phase + 1;
      if (enter) step <= step + 1;
      if (last_enter) streaming <= 1'b0;
    end
    if (!drain_fits) fold_age <= fold_age + 1;
    if (fold_ends) begin
      in_fold <= !last_fold;
      streaming <= !last_fold;
      step <= 0;
      phase <= 0;
      fold_age <= 0;
    end
  end

  // Words over the ports.
  logic [R*WORD-1:0] gathered_left, left_words;
  logic [C*WORD-1:0] gathered_top, top_words;

  genvar g;
  generate
    for (g = 0; g < MP; g = g + 1) begin : moving_lane
      int row;
      assign row = phase * MP + g;
      assign moving_address[g*32+:32] =
          streaming && row < R && first_row + row < V ? (group * V + first_row + row) * D + step : -1;
    end
    for (g = 0; g < SP; g = g + 1) begin : stationary_lane
      int column;
      assign column = phase * SP + g;
      assign stationary_address[g*32+:32] =
          streaming && column < C && first_column + column < N ? (group * D + step) * N + first_column + column : -1;
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

  skew_delay #(
      .LANES(R),
      .WIDTH(WORD)
  ) left_skew (
      .clk(clk),
      .words(gathered_left),
      .skewed(left_words)
  );

  skew_delay #(
      .LANES(C),
      .WIDTH(WORD)
  ) top_skew (
      .clk(clk),
      .words(gathered_top),
      .skewed(top_words)
  );

  // What follows a step in the first PE: accumulate a cycle later, copy two cycles after the last step, then shift.
  logic accumulate = 1'b0;
  logic first_step = 1'b0;
  logic last_step = 1'b0;
  logic copy = 1'b0;
  logic draining = 1'b0;
  int columns_left = 0;
  int drain_phase = 0;
  logic shift;
  int step_group[0:1];
  int step_column[0:1];
  int step_row[0:1];
  int drain_group = 0;
  int drain_column = 0;
  int drain_row = 0;

  assign shift = draining && drain_phase == COLUMN_CYCLES - 1;

  always_ff @(posedge clk) begin
    accumulate <= enter;
    first_step <= step == 0;
    last_step <= last_enter;
    copy <= last_step;
    step_group[0] <= group;
    step_column[0] <= first_column;
    step_row[0] <= first_row;
    step_group[1] <= step_group[0];
    step_column[1] <= step_column[0];
    step_row[1] <= step_row[0];
    if (draining) begin
      drain_phase <= shift ? 0 : drain_phase + 1;
      if (shift) begin
        columns_left <= columns_left - 1;
        if (columns_left == 1) draining <= 1'b0;
      end
    end
    if (copy) begin
      draining <= 1'b1;
      columns_left <= C;
      drain_phase <= 0;
      drain_group <= step_group[1];
      drain_column <= step_column[1];
      drain_row <= step_row[1];
    end
  end

  // Control on its way: place 0 is the first PE's.
  logic [PLACES:0] enter_at, accumulate_at, first_at, copy_at, shift_at;
  logic [(PLACES+1)*32-1:0] group_at, column_at, row_at;
  logic [PLACES-1:0] enter_line = '0;
  logic [PLACES-1:0] accumulate_line = '0;
  logic [PLACES-1:0] first_line = '0;
  logic [PLACES-1:0] copy_line = '0;
  logic [PLACES-1:0] shift_line = '0;
  logic [PLACES*32-1:0] group_line = '0;
  logic [PLACES*32-1:0] column_line = '0;
  logic [PLACES*32-1:0] row_line = '0;
  int leaving;  // the column of the result that leaves in a shift

  assign enter_at = {enter_line, enter};
  assign accumulate_at = {accumulate_line, accumulate};
  assign first_at = {first_line, first_step};
  assign copy_at = {copy_line, copy};
  assign shift_at = {shift_line, shift};
  assign group_at = {group_line, drain_group};
  assign leaving = drain_column + columns_left - 1;
  assign column_at = {column_line, leaving};
  assign row_at = {row_line, drain_row};

  always_ff @(posedge clk) begin
    enter_line <= enter_at[PLACES-1:0];
    accumulate_line <= accumulate_at[PLACES-1:0];
    first_line <= first_at[PLACES-1:0];
    copy_line <= copy_at[PLACES-1:0];
    shift_line <= shift_at[PLACES-1:0];
    group_line <= group_at[PLACES*32-1:0];
    column_line <= column_at[PLACES*32-1:0];
    row_line <= row_at[PLACES*32-1:0];
  end

  assign busy = in_fold || accumulate || last_step || copy || draining || shift_line != '0;

  // The PEs.
  genvar r, c;
  generate
    for (r = 0; r < R; r = r + 1) begin : pe_row
      for (c = 0; c < C; c = c + 1) begin : pe
        localparam int PE = r * C + c;
        logic [WORD-1:0] x;
        logic [WORD-1:0] w;
        logic [SUM-1:0] moved;
        if (c == 0) begin : from_left_edge
          assign x = left_words[r*WORD+:WORD];
          assign moved = out[PE*SUM+:SUM];
        end else begin : from_left
          assign x = in[(PE-1)*WORD+:WORD];
          assign moved = pass[(PE-1)*SUM+:SUM];
        end
        if (r == 0) begin : from_top_edge
          assign w = top_words[c*WORD+:WORD];
        end else begin : from_above
          assign w = filter[(PE-C)*WORD+:WORD];
        end
        always_ff @(posedge clk) begin
          if (enter_at[r+c]) begin
            in[PE*WORD+:WORD] <= x;
            filter[PE*WORD+:WORD] <= w;
            product[PE*SUM+:SUM] <= $signed(x) * $signed(w);
          end
          if (accumulate_at[r+c])
            acc[PE*SUM+:SUM] <= product[PE*SUM+:SUM] + (first_at[r+c] ? {SUM{1'b0}} : acc[PE*SUM+:SUM]);
          if (shift_at[r+c]) pass[PE*SUM+:SUM] <= out[PE*SUM+:SUM];
          if (copy_at[r+c]) out[PE*SUM+:SUM] <= acc[PE*SUM+:SUM];
          else if (shift_at[r+c]) out[PE*SUM+:SUM] <= moved;
        end
      end
    end
  endgenerate

  // The last column goes to the buffer, row r a cycle after row r - 1.
  generate
    for (g = 0; g < R; g = g + 1) begin : result_lane
      localparam int AT = g + C - 1;
      int v, n;
      assign v = row_at[AT*32+:32] + g;
      assign n = column_at[AT*32+:32];
      assign result_valid[g] = shift_at[AT];
      assign result_address[g*32+:32] = v < V && n < N ? (group_at[AT*32+:32] * V + v) * N + n : -1;
      assign result_word[g*SUM+:SUM] = out[(g*C+C-1)*SUM+:SUM];
    end
  endgenerate
endmodule
