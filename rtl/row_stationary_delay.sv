// docs/microarchitecture.md, "Row stationary (rs)": a place does a cycle later what the place before it does. Tap l is
// the input as it was l cycles ago.
module row_stationary_delay #(
    parameter int WIDTH = 1,
    parameter int TAPS  = 1
) (
    input  logic                  clk,
    input  logic [WIDTH-1:0]      now,
    output logic [TAPS*WIDTH-1:0] taps
);
  assign taps[WIDTH-1:0] = now;

  genvar l;
  generate
    for (l = 1; l < TAPS; l = l + 1) begin : later
      logic [WIDTH-1:0] held = '0;
      always_ff @(posedge clk) held <= taps[(l-1)*WIDTH+:WIDTH];
      assign taps[l*WIDTH+:WIDTH] = held;
    end
  endgenerate
endmodule
