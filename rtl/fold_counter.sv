// The order of the folds of a job; docs/microarchitecture.md, "Jobs": by group, then block of C columns,
// then block of R along the inner dimension (D for the stationary arrays, V for the output-stationary ones).
module fold_counter #(
    parameter int R = 2,
    parameter int C = 2
) (
    input  logic clk,
    input  logic next,          // go on to the next fold at the end of this cycle
    input  int   groups,
    input  int   columns,
    input  int   inner_size,
    output int   group,
    output int   first_column,  // first column of the fold in N
    output int   first_inner,   // first row of the fold in D or V
    output logic last           // this fold is the job's last
);
  int group_count = 0;
  int column_count = 0;
  int inner_count = 0;
  logic last_inner;
  logic last_column;

  assign group = group_count;
  assign first_column = column_count;
  assign first_inner = inner_count;
  assign last_inner = inner_count + R >= inner_size;
  assign last_column = column_count + C >= columns;
  assign last = last_inner && last_column && group_count + 1 >= groups;

  always_ff @(posedge clk)
    if (next) begin
      inner_count <= last_inner ? 0 : inner_count + R;
      if (last_inner) begin
        column_count <= last_column ? 0 : column_count + C;
        if (last_column) group_count <= group_count + 1;
      end
    end
endmodule
