// docs/microarchitecture.md, "Row stationary (rs)": what the modules of the array share.
package row_stationary_types;
  // How many there are of each in the job, and the image's size with its padding.
  typedef struct packed {
    int groups;
    int images;
    int channels;
    int filters;
    int filter_rows;
    int filter_columns;
    int rows;
    int columns;
    int image_rows;
    int image_columns;
  } sizes_t;

  // A position of a fold: the first of each block, and the output column.
  typedef struct packed {
    int group;
    int filter;
    int channel;
    int filter_row;
    int filter_column;
    int image;
    int row;
    int column;
  } position_t;

  // What a PE does in a cycle. The sequencer makes it for place 0, every further place gets it a cycle later.
  typedef struct packed {
    logic load;
    int   load_step;
    logic enter;
    logic fresh;             // the position begins a run
    int   real_columns;      // window columns whose filter column exists
    int   new_from;          // of these, those from here on come over the port; the others move along
    int   real_filter_rows;  // from the fold's first filter row to the job's last
    int   real_rows;         // from the strip's first output row to the job's last
    logic multiply;
    int   multiply_k;
    int   multiply_f;
    logic add;
    int   add_k;
    int   add_f;
  } control_t;

  // A sum that leaves: the position, the filter in the PE, and whether the buffer holds nothing of it yet.
  typedef struct packed {
    position_t position;
    int        f;
    logic      first_block;
  } result_t;

  function automatic int ceil(int a, int b);
    return (a + b - 1) / b;
  endfunction

  function automatic int min(int a, int b);
    return a < b ? a : b;
  endfunction

  function automatic int gcd(int a, int b);
    int rest;
    while (b != 0) begin
      rest = a % b;
      a = b;
      b = rest;
    end
    return a;
  endfunction

  // How many different values of y sy + i dy, with y < e and i < h, lie below `limit`.
  function automatic int image_rows_below(int limit, int e, int h, int sy, int dy);
    int found, total;
    total = 0;
    for (int n = 0; n < limit; n++) begin
      found = 0;
      for (int y = 0; y < e; y++) if (n >= y * sy && (n - y * sy) % dy == 0 && (n - y * sy) / dy < h) found = 1;
      total += found;
    end
    return total;
  endfunction
endpackage
