// docs/microarchitecture.md, "Row stationary (rs)", the table of "Cycles": a PE that works.
module row_stationary_pe
  import row_stationary_types::*;
#(
    parameter int WP = 1,
    parameter int FW = 1,
    parameter int IW = 1,
    parameter int PW = 1,
    parameter int W = 1,
    parameter int Q = 1,
    parameter int P = 1,
    parameter int NEW_COLUMNS = 1,
    parameter int WINDOW_WORDS = 1,
    parameter int WORD = 16,
    parameter int SUM = 32,
    parameter int OUTPUT_ROW = 0,    // of its chain, in the strip
    parameter int FILTER_ROW = 0,    // of its place, in the fold
    parameter int FIRST_FILTER = 0,  // number of its first word in the load of a fold
    parameter int FIRST_WINDOW = 0   // number of its first channel in the list of a position's image words
) (
    input  logic                         clk,
    input  control_t                     control,
    input  logic [WP*WORD-1:0]           filter_words,  // what the port brings in step control.load_step
    input  logic [WINDOW_WORDS*WORD-1:0] window_words,
    input  logic [SUM-1:0]               chain_before,
    output logic [FW*WORD-1:0]           filter,
    output logic [IW*WORD-1:0]           input_,
    output logic [PW*SUM-1:0]            psum,
    output logic [SUM-1:0]               product,
    output logic [SUM-1:0]               chain
);
  initial begin
    filter = '0;
    input_ = '0;
    psum = '0;
    product = '0;
    chain = '0;
  end

  // Load: those of the port's words that are its own.
  int loaded;
  assign loaded = control.load_step * WP - FIRST_FILTER;

  always_ff @(posedge clk)
    if (control.load)
      for (int i = 0; i < WP; i++)
        if (loaded + i >= 0 && loaded + i < P * Q * W) filter[(loaded+i)*WORD+:WORD] <= filter_words[i*WORD+:WORD];

  // Enter: the window slides, new words come from the port.
  logic row_exists;
  int columns;
  assign row_exists = OUTPUT_ROW < control.real_rows && FILTER_ROW < control.real_filter_rows;
  assign columns = control.fresh ? W : NEW_COLUMNS;

  always_ff @(posedge clk)
    if (control.enter)
      for (int b = 0; b < Q; b++)
        for (int j = 0; j < W; j++)
          if (!row_exists || j >= control.real_columns) input_[(b*W+j)*WORD+:WORD] <= '0;
          else if (j < control.new_from) input_[(b*W+j)*WORD+:WORD] <= input_[(b*W+j+NEW_COLUMNS)*WORD+:WORD];
          else
            input_[(b*W+j)*WORD+:WORD] <= window_words[((FIRST_WINDOW+b)*columns+j-control.new_from)*WORD+:WORD];

  // Multiply.
  logic [WORD-1:0] image_word, filter_word;
  assign image_word = input_[control.multiply_k*WORD+:WORD];
  assign filter_word = filter[(control.multiply_f*Q*W+control.multiply_k)*WORD+:WORD];

  always_ff @(posedge clk) if (control.multiply) product <= $signed(image_word) * $signed(filter_word);

  // Add.
  logic [SUM-1:0] x;
  assign x = (control.add_k == 0 ? {SUM{1'b0}} : psum[control.add_f*SUM+:SUM]) + product;

  always_ff @(posedge clk)
    if (control.add) begin
      if (control.add_k < Q * W - 1) psum[control.add_f*SUM+:SUM] <= x;
      else chain <= x + chain_before;
    end
endmodule
