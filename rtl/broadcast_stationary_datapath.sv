// docs/microarchitecture.md, "Broadcast array, stationary (ws, is)": every register of the page and all arithmetic.
// broadcast_stationary.sv says when they work. This is what `adagp-sim synthesize` gives to yosys.
module broadcast_stationary_datapath #(
    parameter int R = 2,
    parameter int C = 2,
    parameter int SP = 1,
    parameter int MP = 1,
    parameter int OP = 1,
    parameter int WORD = 16,
    parameter int SUM = 32,
    localparam int LC = (R * C + SP - 1) / SP,
    localparam int IN_CYCLES = (R + MP - 1) / MP,
    localparam int OUT_CYCLES = (C + OP - 1) / OP,
    localparam int II = IN_CYCLES > OUT_CYCLES ? IN_CYCLES : OUT_CYCLES,
    localparam int LOAD_BITS = LC > 1 ? $clog2(LC) : 1,
    localparam int PHASE_BITS = II > 1 ? $clog2(II) : 1,
    localparam int L = $clog2(R)
) (
    input  logic                  clk,
    input  logic                  loading,
    input  logic [LOAD_BITS-1:0]  load_step,
    input  logic                  swap,
    input  logic [PHASE_BITS-1:0] phase,
    input  logic                  enter,
    input  logic [L+1:0]          valid,           // a vector is in place 0 `in`, 1 `product`, 1 + l tree level l
    input  logic                  is_first_block,  // of the vector at the top of the tree
    input  logic [SP*WORD-1:0]    stationary_word,
    input  logic [MP*WORD-1:0]    moving_word,
    input  logic [C*SUM-1:0]      partial_word,
    output logic [C*SUM-1:0]      result_word,
    output logic [C*SUM-1:0]      sum
);
  // The registers of the page; `shadow`, `weight` and `product` are those of the PEs.
  logic [R*C*WORD-1:0] shadow;
  logic [R*C*WORD-1:0] weight;
  logic [R*WORD-1:0] in = '0;
  logic [R*C*SUM-1:0] product;

  initial sum = '0;

  // Enter: MP words a cycle, gathered over II cycles.
  logic [R*WORD-1:0] gathered;

  port_stage #(
      .WORDS(R),
      .PORT (MP),
      .WIDTH(WORD)
  ) moving_stage (
      .clk(clk),
      .phase(II > 1 ? 32'(phase) : 0),
      .port_words(moving_word),
      .gathered(gathered)
  );

  always_ff @(posedge clk) if (enter) in <= gathered;

  // The PEs. Load: SP words a cycle, row by row.
  genvar g;
  generate
    for (g = 0; g < R * C; g = g + 1) begin : pe
      broadcast_stationary_pe #(
          .WORD(WORD),
          .SUM (SUM)
      ) pe (
          .clk(clk),
          .load(loading && 32'(load_step) == g / SP),
          .swap(swap),
          .multiply(valid[0]),
          .stationary_word(stationary_word[g%SP*WORD+:WORD]),
          .moving_word(in[g/C*WORD+:WORD]),
          .shadow(shadow[g*WORD+:WORD]),
          .weight(weight[g*WORD+:WORD]),
          .product(product[g*SUM+:SUM])
      );
    end
  endgenerate

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
      assign result_word[g*SUM+:SUM] =
          top[g*SUM+:SUM] + (is_first_block ? {SUM{1'b0}} : partial_word[g*SUM+:SUM]);
    end
  endgenerate

  always_ff @(posedge clk) if (valid[L+1]) sum <= result_word;
endmodule
