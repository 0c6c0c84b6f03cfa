// Gathers WORDS words that come over a port of PORT words a cycle; docs/microarchitecture.md, the port terms of II
// and of the systolic load. In phase k the port brings words k PORT to (k+1) PORT - 1. `gathered` holds the words of
// the phases before and, already in the same cycle, those now on the port, so a register written in the last phase
// takes them all.
module port_stage #(
    parameter int WORDS = 2,
    parameter int PORT = 1,
    parameter int WIDTH = 16
) (
    input  logic                   clk,
    input  int                     phase,
    input  logic [PORT*WIDTH-1:0]  port_words,
    output logic [WORDS*WIDTH-1:0] gathered
);
  logic [WORDS*WIDTH-1:0] held = '0;

  genvar i;
  generate
    for (i = 0; i < WORDS; i = i + 1) begin : word
      assign gathered[i*WIDTH+:WIDTH] =
          phase == i / PORT ? port_words[(i % PORT)*WIDTH+:WIDTH] : held[i*WIDTH+:WIDTH];
    end
  endgenerate

  always_ff @(posedge clk) held <= gathered;
endmodule
