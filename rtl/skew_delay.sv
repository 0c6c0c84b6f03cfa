// docs/microarchitecture.md, "Systolic array whose folds overlap", "Skew": the delay registers of a port. The word for
// lane i waits i cycles.
module skew_delay #(
    parameter int LANES = 2,
    parameter int WIDTH = 16
) (
    input  logic                   clk,
    input  logic [LANES*WIDTH-1:0] words,
    output logic [LANES*WIDTH-1:0] skewed
);
  genvar i;
  generate
    for (i = 0; i < LANES; i = i + 1) begin : lane
      if (i == 0) begin : at_once
        assign skewed[WIDTH-1:0] = words[WIDTH-1:0];
      end else begin : later
        logic [i*WIDTH-1:0] line = '0;
        assign skewed[i*WIDTH+:WIDTH] = line[(i-1)*WIDTH+:WIDTH];
        always_ff @(posedge clk)
          for (int k = 0; k < i; k++)
            if (k == 0) line[0+:WIDTH] <= words[i*WIDTH+:WIDTH];
            else line[k*WIDTH+:WIDTH] <= line[(k-1)*WIDTH+:WIDTH];
      end
    end
  endgenerate
endmodule
