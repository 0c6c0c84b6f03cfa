// docs/microarchitecture.md, "Broadcast array, output stationary (os)": the registers and the arithmetic of a PE.
module broadcast_os_pe #(
    parameter int WORD = 16,
    parameter int SUM = 32
) (
    input  logic            clk,
    input  logic            multiply,
    input  logic            accumulate,
    input  logic            is_first_step,  // with `accumulate`
    input  logic            copy,
    input  logic [WORD-1:0] a,
    input  logic [WORD-1:0] b,
    output logic [SUM-1:0]  product,
    output logic [SUM-1:0]  acc,
    output logic [SUM-1:0]  out
);
  initial begin
    product = '0;
    acc = '0;
    out = '0;
  end

  always_ff @(posedge clk) begin
    if (multiply) product <= $signed(a) * $signed(b);
    if (accumulate) acc <= product + (is_first_step ? {SUM{1'b0}} : acc);
    if (copy) out <= acc;
  end
endmodule
