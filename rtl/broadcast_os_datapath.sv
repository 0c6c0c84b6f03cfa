// docs/microarchitecture.md, "Broadcast array, output stationary (os)": every register of the page and all arithmetic.
// broadcast_os.sv says when they work. This is what `adagp-sim synthesize` gives to yosys.
module broadcast_os_datapath #(
    parameter int R = 2,
    parameter int C = 2,
    parameter int SP = 1,
    parameter int MP = 1,
    parameter int OP = 1,
    parameter int WORD = 16,
    parameter int SUM = 32,
    localparam int A_CYCLES = (R + MP - 1) / MP,
    localparam int B_CYCLES = (C + SP - 1) / SP,
    localparam int II = A_CYCLES > B_CYCLES ? A_CYCLES : B_CYCLES,
    localparam int DC = (R * C + OP - 1) / OP,
    localparam int PHASE_BITS = II > 1 ? $clog2(II) : 1,
    localparam int DRAIN_BITS = DC > 1 ? $clog2(DC) : 1
) (
    input  logic                  clk,
    input  logic [PHASE_BITS-1:0] phase,
    input  logic                  enter,
    input  logic                  multiply,
    input  logic                  accumulate,
    input  logic                  is_first_step,  // with `accumulate`
    input  logic                  copy,
    input  logic [DRAIN_BITS-1:0] drain_step,
    input  logic [SP*WORD-1:0]    stationary_word,
    input  logic [MP*WORD-1:0]    moving_word,
    output logic [OP*SUM-1:0]     result_word
);
  // The registers of the page; `product`, `acc` and `out` are those of the PEs.
  logic [R*WORD-1:0] a = '0;
  logic [C*WORD-1:0] b = '0;
  logic [R*C*SUM-1:0] product;
  logic [R*C*SUM-1:0] acc;
  logic [R*C*SUM-1:0] out;

  // Enter: MP words of A and SP words of B a cycle, gathered over II cycles.
  logic [R*WORD-1:0] gathered_a;
  logic [C*WORD-1:0] gathered_b;

  port_stage #(
      .WORDS(R),
      .PORT (MP),
      .WIDTH(WORD)
  ) moving_stage (
      .clk(clk),
      .phase(II > 1 ? 32'(phase) : 0),
      .port_words(moving_word),
      .gathered(gathered_a)
  );

  port_stage #(
      .WORDS(C),
      .PORT (SP),
      .WIDTH(WORD)
  ) stationary_stage (
      .clk(clk),
      .phase(II > 1 ? 32'(phase) : 0),
      .port_words(stationary_word),
      .gathered(gathered_b)
  );

  always_ff @(posedge clk)
    if (enter) begin
      a <= gathered_a;
      b <= gathered_b;
    end

  // The PEs.
  genvar g, k;
  generate
    for (g = 0; g < R * C; g = g + 1) begin : pe
      broadcast_os_pe #(
          .WORD(WORD),
          .SUM (SUM)
      ) pe (
          .clk(clk),
          .multiply(multiply),
          .accumulate(accumulate),
          .is_first_step(is_first_step),
          .copy(copy),
          .a(a[g/C*WORD+:WORD]),
          .b(b[g%C*WORD+:WORD]),
          .product(product[g*SUM+:SUM]),
          .acc(acc[g*SUM+:SUM]),
          .out(out[g*SUM+:SUM])
      );
    end
  endgenerate

  // Drain: OP words a cycle, row by row. A lane chooses among the words that it ever brings.
  generate
    for (g = 0; g < OP; g = g + 1) begin : result_lane
      logic [DC*SUM-1:0] words;
      for (k = 0; k < DC; k = k + 1) begin : step
        if (k * OP + g < R * C) begin : of_a_pe
          assign words[k*SUM+:SUM] = out[(k*OP+g)*SUM+:SUM];
        end else begin : beyond
          assign words[k*SUM+:SUM] = '0;
        end
      end
      assign result_word[g*SUM+:SUM] = words[drain_step*SUM+:SUM];
    end
  endgenerate
endmodule
