// The buffer and the clock around the array of docs/microarchitecture.md, "Row stationary (rs)".
//
// Cycle t ends with the rising edge at time 10 t + 5. The buffer is read by address in the same cycle and written at
// the cycle's end. Plusargs: GROUPS, IMAGES, CHANNELS, FILTERS, FILTER_ROWS, FILTER_COLUMNS, ROWS, COLUMNS,
// IMAGE_ROWS and IMAGE_COLUMNS (a job's sizes), WRITES (a file: what product, chain and sum were written, in words),
// IMAGE_WORDS and FILTER_WORDS (hex files, a word a line), RESULT (the file that is written: the cycle count, then
// Y, a number a line), WATCHDOG (the most cycles allowed), VCD (optional).
module row_stationary_testbench;
  import row_stationary_types::*;
  parameter int R = 2;
  parameter int C = 2;
  parameter int WP = 1;
  parameter int IP = 1;
  parameter int OP = 1;
  parameter int FW = 12;
  parameter int IW = 4;
  parameter int PW = 3;
  parameter int H = 1;
  parameter int W = 1;
  parameter int Q = 1;
  parameter int P = 1;
  parameter int RSETS = 1;
  parameter int E = 1;
  parameter int T = 1;
  parameter int D = 1;
  parameter int SY = 1;
  parameter int SX = 1;
  parameter int DY = 1;
  parameter int DX = 1;
  parameter int WORD = 16;
  parameter int SUM = 32;
  parameter int DEPTH = 4096;  // words in each of the buffer's three arrays
  localparam int LANES = R / (H * RSETS) * C;

  logic clk = 1'b0;
  sizes_t sizes;
  int groups, images, channels, filters, filter_rows, filter_columns, rows, columns, image_rows, image_columns;
  int image_size, filter_size, y_size, watchdog;
  int cycle = 0;
  int cycles = 0;
  int file;
  string image_path, filter_path, result_path, writes_path;
  int writes[0:2];  // of product, chain and sum
  control_t told;

  logic [WORD-1:0] image[0:DEPTH-1];
  logic [WORD-1:0] filter[0:DEPTH-1];
  logic [SUM-1:0] y[0:DEPTH-1];

  logic [WP*32-1:0] filter_address;
  logic [WP*WORD-1:0] filter_word;
  logic [IP*32-1:0] image_address;
  logic [IP*WORD-1:0] image_word;
  logic [LANES-1:0] result_valid;
  logic [LANES*32-1:0] result_address;
  logic [LANES*SUM-1:0] result_word;
  logic [LANES*SUM-1:0] partial_word;
  logic busy;

  genvar g;
  generate
    for (g = 0; g < WP; g = g + 1) begin : filter_port
      assign filter_word[g*WORD+:WORD] = filter_address[g*32+31] ? {WORD{1'b0}} : filter[filter_address[g*32+:32]];
    end
    for (g = 0; g < IP; g = g + 1) begin : image_port
      assign image_word[g*WORD+:WORD] = image_address[g*32+31] ? {WORD{1'b0}} : image[image_address[g*32+:32]];
    end
    for (g = 0; g < LANES; g = g + 1) begin : partial_port
      assign partial_word[g*SUM+:SUM] = result_address[g*32+31] ? {SUM{1'b0}} : y[result_address[g*32+:32]];
    end
  endgenerate

  row_stationary #(
      .R(R),
      .C(C),
      .WP(WP),
      .IP(IP),
      .OP(OP),
      .FW(FW),
      .IW(IW),
      .PW(PW),
      .H(H),
      .W(W),
      .Q(Q),
      .P(P),
      .RSETS(RSETS),
      .E(E),
      .T(T),
      .D(D),
      .SY(SY),
      .SX(SX),
      .DY(DY),
      .DX(DX),
      .WORD(WORD),
      .SUM(SUM)
  ) array (
      .clk(clk),
      .sizes(sizes),
      .filter_address(filter_address),
      .filter_word(filter_word),
      .image_address(image_address),
      .image_word(image_word),
      .result_valid(result_valid),
      .result_address(result_address),
      .result_word(result_word),
      .partial_word(partial_word),
      .busy(busy)
  );

  initial begin
    if (!$value$plusargs("GROUPS=%d", groups) || !$value$plusargs("IMAGES=%d", images)
        || !$value$plusargs("CHANNELS=%d", channels) || !$value$plusargs("FILTERS=%d", filters)
        || !$value$plusargs("FILTER_ROWS=%d", filter_rows) || !$value$plusargs("FILTER_COLUMNS=%d", filter_columns)
        || !$value$plusargs("ROWS=%d", rows) || !$value$plusargs("COLUMNS=%d", columns)
        || !$value$plusargs("IMAGE_ROWS=%d", image_rows) || !$value$plusargs("IMAGE_COLUMNS=%d", image_columns)
        || !$value$plusargs("WATCHDOG=%d", watchdog) || !$value$plusargs("IMAGE_WORDS=%s", image_path)
        || !$value$plusargs("FILTER_WORDS=%s", filter_path) || !$value$plusargs("RESULT=%s", result_path)
        || !$value$plusargs("WRITES=%s", writes_path))
      $fatal(1, "a plusarg is missing");
    sizes = {
      groups, images, channels, filters, filter_rows, filter_columns, rows, columns, image_rows, image_columns
    };
    image_size = groups * images * channels * image_rows * image_columns;
    filter_size = groups * filters * channels * filter_rows * filter_columns;
    y_size = groups * images * filters * rows * columns;
    if (image_size > DEPTH || filter_size > DEPTH || y_size > DEPTH) $fatal(1, "the job is larger than the buffer");
    for (int i = 0; i < DEPTH; i++) y[i] = '0;
    for (int i = 0; i < 3; i++) writes[i] = 0;
    $readmemh(image_path, image, 0, image_size - 1);
    $readmemh(filter_path, filter, 0, filter_size - 1);
  end

`ifndef VERILATOR
  string vcd_path;
  initial
    if ($value$plusargs("VCD=%s", vcd_path)) begin
      $dumpfile(vcd_path);
      $dumpvars(1, row_stationary_testbench.array);
    end
`endif

  always #5 clk = !clk;

  always @(posedge clk) if (busy) begin
    for (int place = 0; place < H * RSETS; place++) begin
      told = array.control_at[place*$bits(control_t)+:$bits(control_t)];
      if (told.multiply) writes[0] = writes[0] + E * T * D;
      if (told.add && told.add_k == Q * W - 1) writes[1] = writes[1] + E * T * D;
    end
    writes[2] = writes[2] + $countones(result_valid);
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
      for (int i = 0; i < y_size; i++) $fdisplay(file, "%0d", $signed(y[i]));
      $fclose(file);
      file = $fopen(writes_path, "w");
      if (file == 0) $fatal(1, "cannot write the counts");
      for (int i = 0; i < 3; i++) $fdisplay(file, "%0d", writes[i]);
      $fclose(file);
      $finish;
    end else if (cycle >= watchdog) $fatal(1, "no end after %0d cycles", cycle);
  end
endmodule
