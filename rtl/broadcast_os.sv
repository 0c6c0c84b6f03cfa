// docs/microarchitecture.md, "Broadcast array, output stationary (os)": control and addresses around the datapath.
//
// The next fold starts when every step of this one has entered and DC cycles have passed since this one started, so
// that `out` is drained before it is written again.
module broadcast_os #(
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
    output logic [OP-1:0]      result_valid,
    output logic [OP*32-1:0]   result_address,
    output logic [OP*SUM-1:0]  result_word,
    output logic               busy
);
  localparam int A_CYCLES = (R + MP - 1) / MP;
  localparam int B_CYCLES = (C + SP - 1) / SP;
  localparam int II = A_CYCLES > B_CYCLES ? A_CYCLES : B_CYCLES;
  localparam int DC = (R * C + OP - 1) / OP;
  localparam int PHASE_BITS = II > 1 ? $clog2(II) : 1;
  localparam int DRAIN_BITS = DC > 1 ? $clog2(DC) : 1;

  // Control: the fold and its steps.
  logic in_fold = 1'b1;
  logic streaming = 1'b1;
  int step = 0;
  int phase = 0;
  int fold_age = 0;  // cycles since the fold's start, up to DC - 1
  int group, first_column, first_row;
  logic enter, last_enter, drain_fits, fold_ends, last_fold;

  // Control: what moves down the pipeline. Place 0 is `a` and `b`, 1 `product`, 2 `acc`, 3 `out`.
  logic [2:0] valid = '0;
  logic [2:0] is_first_step = '0;
  logic [2:0] is_last_step = '0;
  logic signed [31:0] place_group[0:3];
  logic signed [31:0] place_column[0:3];
  logic signed [31:0] place_row[0:3];
  logic copy;
  logic draining = 1'b0;
  int drain_step = 0;

  assign enter = streaming && phase == II - 1;
  assign last_enter = enter && step == D - 1;
  assign drain_fits = fold_age == DC - 1;
  assign fold_ends = in_fold && (last_enter || !streaming) && drain_fits;
  assign copy = valid[2] && is_last_step[2];
  assign busy = in_fold || valid != '0 || draining;

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

  // Enter: MP words of A and SP words of B a cycle, gathered over II cycles.
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

  always_ff @(posedge clk) begin
    valid <= {valid[1:0], enter};
    is_first_step <= {is_first_step[1:0], step == 0};
    is_last_step <= {is_last_step[1:0], step == D - 1};
    place_group[0] <= group;
    place_column[0] <= first_column;
    place_row[0] <= first_row;
    for (int i = 1; i <= 3; i++)
      if (i < 3 || copy) begin
        place_group[i] <= place_group[i-1];
        place_column[i] <= place_column[i-1];
        place_row[i] <= place_row[i-1];
      end
  end

  broadcast_os_datapath #(
      .R(R),
      .C(C),
      .SP(SP),
      .MP(MP),
      .OP(OP),
      .WORD(WORD),
      .SUM(SUM)
  ) datapath (
      .clk(clk),
      .phase(phase[PHASE_BITS-1:0]),
      .enter(enter),
      .multiply(valid[0]),
      .accumulate(valid[1]),
      .is_first_step(is_first_step[1]),
      .copy(copy),
      .drain_step(drain_step[DRAIN_BITS-1:0]),
      .stationary_word(stationary_word),
      .moving_word(moving_word),
      .result_word(result_word)
  );

  // Drain: OP words a cycle, row by row.
  always_ff @(posedge clk) begin
    if (draining) begin
      drain_step <= drain_step + 1;
      if (drain_step == DC - 1) draining <= 1'b0;
    end
    if (copy) begin
      draining <= 1'b1;
      drain_step <= 0;
    end
  end

  generate
    for (g = 0; g < OP; g = g + 1) begin : result_lane
      int place, v, n;
      assign place = drain_step * OP + g;
      assign v = place_row[3] + place / C;
      assign n = place_column[3] + place % C;
      assign result_valid[g] = draining && place < R * C;
      assign result_address[g*32+:32] = v < V && n < N ? (place_group[3] * V + v) * N + n : -1;
    end
  endgenerate
endmodule
