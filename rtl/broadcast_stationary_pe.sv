// docs/microarchitecture.md, "Broadcast array, stationary (ws, is)": the registers and the multiplier of a PE.
module broadcast_stationary_pe #(
    parameter int WORD = 16,
    parameter int SUM = 32
) (
    input  logic            clk,
    input  logic            load,
    input  logic            swap,
    input  logic            multiply,
    input  logic [WORD-1:0] stationary_word,
    input  logic [WORD-1:0] moving_word,
    output logic [WORD-1:0] shadow,
    output logic [WORD-1:0] weight,
    output logic [SUM-1:0]  product
);
  initial begin
    shadow  = '0;
    weight  = '0;
    product = '0;
  end

  always_ff @(posedge clk) begin
    if (load) shadow <= stationary_word;
    if (swap) weight <= shadow;
    if (multiply) product <= $signed(moving_word) * $signed(weight);
  end
endmodule
