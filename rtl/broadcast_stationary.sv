// docs/microarchitecture.md, "Broadcast array, stationary (ws, is)": control and addresses around the datapath.
//
// `start` is high in the cycle b(f): the next fold's words are all in `shadow`, and the vectors of the fold before
// have all entered, the last one at the latest in this very cycle.
module broadcast_stationary #(
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
  localparam int LC = (R * C + SP - 1) / SP;
  localparam int IN_CYCLES = (R + MP - 1) / MP;
  localparam int OUT_CYCLES = (C + OP - 1) / OP;
  localparam int II = IN_CYCLES > OUT_CYCLES ? IN_CYCLES : OUT_CYCLES;
  localparam int L = $clog2(R);
  localparam int LOAD_BITS = LC > 1 ? $clog2(LC) : 1;
  localparam int PHASE_BITS = II > 1 ? $clog2(II) : 1;

  // Control: the load into `shadow`.
  logic loading = 1'b1;
  logic shadow_full = 1'b0;
  int load_step = 0;
  int load_group, load_column, load_row;
  logic load_is_last;

  // Control: the vectors that enter.
  logic swap = 1'b0;
  logic streaming = 1'b0;
  int vector = 0;
  int phase = 0;
  int group = 0;
  int first_column = 0;
  int first_row = 0;
  logic enter, last_enter, start;

  // Control: what moves down the pipeline with a vector. Place 0 is `in`, 1 `product`, 1 + l tree level l.
  logic [L+1:0] valid = '0;
  logic [L+1:0] is_first_block = '0;
  logic signed [31:0] result_row[0:L+1];
  logic signed [31:0] result_column[0:L+1];

  assign enter = streaming && phase == II - 1;
  assign last_enter = enter && vector == V - 1;
  assign start = shadow_full && (!streaming || last_enter);
  assign busy = loading || shadow_full || swap || streaming || valid != '0;

  fold_counter #(
      .R(R),
      .C(C)
  ) load_fold (
      .clk(clk),
      .next(start),
      .groups(GROUPS),
      .columns(N),
      .inner_size(D),
      .group(load_group),
      .first_column(load_column),
      .first_inner(load_row),
      .last(load_is_last)
  );

  always_ff @(posedge clk) begin
    if (loading) begin
      load_step <= load_step + 1;
      if (load_step == LC - 1) begin
        loading <= 1'b0;
        shadow_full <= 1'b1;
      end
    end
    if (streaming) begin
      phase <= enter ? 0 : phase + 1;
      if (enter) vector <= vector + 1;
      if (last_enter) streaming <= 1'b0;
    end
    swap <= start;
    if (start) begin
      shadow_full <= 1'b0;
      loading <= !load_is_last;
      load_step <= 0;
      streaming <= 1'b1;
      vector <= 0;
      phase <= 0;
      group <= load_group;
      first_column <= load_column;
      first_row <= load_row;
    end
  end

  // Load: SP words a cycle, row by row.
  genvar g;
  generate
    for (g = 0; g < SP; g = g + 1) begin : load_lane
      int place, d, n;
      assign place = load_step * SP + g;
      assign d = load_row + place / C;
      assign n = load_column + place % C;
      assign stationary_address[g*32+:32] =
          loading && place < R * C && d < D && n < N ? (load_group * D + d) * N + n : -1;
    end
  endgenerate

  // Enter: MP words a cycle, gathered over II cycles.
  generate
    for (g = 0; g < MP; g = g + 1) begin : moving_lane
      int row;
      assign row = phase * MP + g;
      assign moving_address[g*32+:32] =
          streaming && row < R && first_row + row < D ? (group * V + vector) * D + first_row + row : -1;
    end
  endgenerate

  always_ff @(posedge clk) begin
    valid <= {valid[L:0], enter};
    is_first_block <= {is_first_block[L:0], first_row == 0};
    result_row[0] <= group * V + vector;
    result_column[0] <= first_column;
    for (int i = 1; i <= L + 1; i++) begin
      result_row[i] <= result_row[i-1];
      result_column[i] <= result_column[i-1];
    end
  end

  broadcast_stationary_datapath #(
      .R(R),
      .C(C),
      .SP(SP),
      .MP(MP),
      .OP(OP),
      .WORD(WORD),
      .SUM(SUM)
  ) datapath (
      .clk(clk),
      .loading(loading),
      .load_step(load_step[LOAD_BITS-1:0]),
      .swap(swap),
      .phase(phase[PHASE_BITS-1:0]),
      .enter(enter),
      .valid(valid),
      .is_first_block(is_first_block[L+1]),
      .stationary_word(stationary_word),
      .moving_word(moving_word),
      .partial_word(partial_word),
      .result_word(result_word),
      .sum()
  );

  generate
    for (g = 0; g < C; g = g + 1) begin : result_lane
      assign result_valid[g] = valid[L+1];
      assign result_address[g*32+:32] =
          result_column[L+1] + g < N ? result_row[L+1] * N + result_column[L+1] + g : -1;
    end
  endgenerate
endmodule
