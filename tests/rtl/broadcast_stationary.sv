// docs/microarchitecture.md, "Broadcast array, stationary (ws, is)".
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

  // The registers of the page.
  logic [R*C*WORD-1:0] shadow = '0;
  logic [R*C*WORD-1:0] weight = '0;
  logic [R*WORD-1:0] in = '0;
  logic [R*C*SUM-1:0] product = '0;
  logic [C*SUM-1:0] sum = '0;

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

  always_ff @(posedge clk) begin
    if (loading)
      for (int i = 0; i < SP; i++)
        if (load_step * SP + i < R * C) shadow[(load_step*SP+i)*WORD+:WORD] <= stationary_word[i*WORD+:WORD];
    if (swap) weight <= shadow;
  end

  // Enter: MP words a cycle, gathered over II cycles.
  logic [R*WORD-1:0] gathered;

  generate
    for (g = 0; g < MP; g = g + 1) begin : moving_lane
      int row;
      assign row = phase * MP + g;
      assign moving_address[g*32+:32] =
          streaming && row < R && first_row + row < D ? (group * V + vector) * D + first_row + row : -1;
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
      .gathered(gathered)
  );

  always_ff @(posedge clk) begin
    if (enter) in <= gathered;
    valid <= {valid[L:0], enter};
    is_first_block <= {is_first_block[L:0], first_row == 0};
    result_row[0] <= group * V + vector;
    result_column[0] <= first_column;
    for (int i = 1; i <= L + 1; i++) begin
      result_row[i] <= result_row[i-1];
      result_column[i] <= result_column[i-1];
    end
  end

  // Multiply.
  always_ff @(posedge clk)
    if (valid[0])
      for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++)
          product[(r*C+c)*SUM+:SUM] <= $signed(in[r*WORD+:WORD]) * $signed(weight[(r*C+c)*WORD+:WORD]);

  // Adder tree: `tree[l].node` is the page's tree[l].
  genvar l;
  generate
    for (l = 1; l <= L; l = l + 1) begin : tree
      localparam int BELOW = (R + (1 << (l - 1)) - 1) >> (l - 1);
      localparam int NODES = (R + (1 << l) - 1) >> l;
      logic [NODES*C*SUM-1:0] node = '0;
      logic [(BELOW+1)*C*SUM-1:0] below;  // with a zero above, the partner of a node that has none
      if (l == 1) begin : from_products
        assign below = {{C * SUM{1'b0}}, product};
      end else begin : from_level
        assign below = {{C * SUM{1'b0}}, tree[l-1].node};
      end
      always_ff @(posedge clk)
        if (valid[l])
          for (int i = 0; i < NODES; i++)
            for (int c = 0; c < C; c++)
              node[(i*C+c)*SUM+:SUM] <= below[(2*i*C+c)*SUM+:SUM] + below[((2*i+1)*C+c)*SUM+:SUM];
    end
  endgenerate

  // Accumulate.
  logic [C*SUM-1:0] top;

  generate
    if (L == 0) begin : no_tree
      assign top = product[C*SUM-1:0];
    end else begin : with_tree
      assign top = tree[L].node;
    end
    for (g = 0; g < C; g = g + 1) begin : result_lane
      assign result_valid[g] = valid[L+1];
      assign result_address[g*32+:32] =
          result_column[L+1] + g < N ? result_row[L+1] * N + result_column[L+1] + g : -1;
      assign result_word[g*SUM+:SUM] =
          top[g*SUM+:SUM] + (is_first_block[L+1] ? {SUM{1'b0}} : partial_word[g*SUM+:SUM]);
    end
  endgenerate

  always_ff @(posedge clk) if (valid[L+1]) sum <= result_word;
endmodule
