// The buffer and the clock around one array of docs/microarchitecture.md. Macros say what differs between arrays: ARRAY
// is the module, LANES how many results can leave in a cycle, OWN_PARAMETERS the parameters that only this module has
// (`.NAME(value),` each); PARTIAL_SUMS is defined where partial sums are read back.
//
// Cycle t ends with the rising edge at time 10 t + 5. The buffer is read by address in the same cycle and written at
// the cycle's end. Plusargs: V, D, N, GROUPS, MOVING and STATIONARY (hex files, a word a line), RESULT (the file that
// is written: the cycle count, then Y, a number a line), WRITES (another: what each register was written, in words),
// WATCHDOG (the most cycles allowed), VCD (optional).
module testbench;
  parameter int R = 2;
  parameter int C = 2;
  parameter int SP = 1;
  parameter int MP = 1;
  parameter int OP = 1;
  parameter int WORD = 16;
  parameter int SUM = 32;
  parameter int DEPTH = 4096;  // words in each of the buffer's three arrays
  localparam int LANES = `LANES;

  logic clk = 1'b0;
  int V, D, N, GROUPS, watchdog;
  int cycle = 0;
  int cycles = 0;
  int file;
  string moving_path, stationary_path, result_path, writes_path;
  int writes[0:15];

  logic [WORD-1:0] moving[0:DEPTH-1];
  logic [WORD-1:0] stationary[0:DEPTH-1];
  logic [SUM-1:0] y[0:DEPTH-1];

  logic [SP*32-1:0] stationary_address;
  logic [SP*WORD-1:0] stationary_word;
  logic [MP*32-1:0] moving_address;
  logic [MP*WORD-1:0] moving_word;
  logic [LANES-1:0] result_valid;
  logic [LANES*32-1:0] result_address;
  logic [LANES*SUM-1:0] result_word;
  logic busy;

  genvar g;
  generate
    for (g = 0; g < SP; g = g + 1) begin : stationary_port
      assign stationary_word[g*WORD+:WORD] =
          stationary_address[g*32+31] ? {WORD{1'b0}} : stationary[stationary_address[g*32+:32]];
    end
    for (g = 0; g < MP; g = g + 1) begin : moving_port
      assign moving_word[g*WORD+:WORD] = moving_address[g*32+31] ? {WORD{1'b0}} : moving[moving_address[g*32+:32]];
    end
  endgenerate

`ifdef PARTIAL_SUMS
  logic [LANES*SUM-1:0] partial_word;
  generate
    for (g = 0; g < LANES; g = g + 1) begin : partial_port
      assign partial_word[g*SUM+:SUM] = result_address[g*32+31] ? {SUM{1'b0}} : y[result_address[g*32+:32]];
    end
  endgenerate
`endif

  `ARRAY #(
      .R(R),
      .C(C),
      .SP(SP),
      .MP(MP),
      .OP(OP),
      .WORD(WORD),
      `OWN_PARAMETERS
      .SUM(SUM)
  ) array (
      .clk(clk),
      .V(V),
      .D(D),
      .N(N),
      .GROUPS(GROUPS),
      .stationary_address(stationary_address),
      .stationary_word(stationary_word),
      .moving_address(moving_address),
      .moving_word(moving_word),
`ifdef PARTIAL_SUMS
      .partial_word(partial_word),
`endif
      .result_valid(result_valid),
      .result_address(result_address),
      .result_word(result_word),
      .busy(busy)
  );

  initial begin
    if (!$value$plusargs("V=%d", V) || !$value$plusargs("D=%d", D) || !$value$plusargs("N=%d", N)
        || !$value$plusargs("GROUPS=%d", GROUPS) || !$value$plusargs("WATCHDOG=%d", watchdog)
        || !$value$plusargs("MOVING=%s", moving_path) || !$value$plusargs("STATIONARY=%s", stationary_path)
        || !$value$plusargs("RESULT=%s", result_path) || !$value$plusargs("WRITES=%s", writes_path))
      $fatal(1, "a plusarg is missing");
    if (GROUPS * V * D > DEPTH || GROUPS * D * N > DEPTH || GROUPS * V * N > DEPTH)
      $fatal(1, "the job is larger than the buffer");
    for (int i = 0; i < DEPTH; i++) y[i] = '0;
    for (int i = 0; i < 16; i++) writes[i] = 0;
    $readmemh(moving_path, moving, 0, GROUPS * V * D - 1);
    $readmemh(stationary_path, stationary, 0, GROUPS * D * N - 1);
  end

`ifndef VERILATOR
  string vcd_path;
  initial
    if ($value$plusargs("VCD=%s", vcd_path)) begin
      $dumpfile(vcd_path);
      $dumpvars(0, testbench.array);
    end
`endif

  always #5 clk = !clk;

  always @(posedge clk) if (busy) begin
`include "write_counts.svh"
  end

  always @(posedge clk) begin
    cycle <= cycle + 1;
    for (int i = 0; i < LANES; i++)
      if (result_valid[i]) begin
        cycles <= cycle + 1;
        if (!result_address[i*32+31]) y[result_address[i*32+:32]] <= result_word[i*SUM+:SUM];
      end
    if (!busy) begin
      file = $fopen(result_path, "w");
      if (file == 0) $fatal(1, "cannot write the result file");
      $fdisplay(file, "%0d", cycles);
      for (int i = 0; i < GROUPS * V * N; i++) $fdisplay(file, "%0d", $signed(y[i]));
      $fclose(file);
      file = $fopen(writes_path, "w");
      if (file == 0) $fatal(1, "cannot write the counts");
      for (int i = 0; i < 16; i++) $fdisplay(file, "%0d", writes[i]);
      $fclose(file);
      $finish;
    end else if (cycle >= watchdog) $fatal(1, "no end after %0d cycles", cycle);
  end
endmodule
