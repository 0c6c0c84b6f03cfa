// docs/microarchitecture.md, "Row stationary (rs)", "Mapping" and the rule of hardware of "Cycles": the order of folds
// and positions, the load of a fold's filters, the cycle in which a position enters, and its steps.
//
// `coming` is the position that enters next; the filters that load and the words on the image port are its own.
module row_stationary_sequencer
  import row_stationary_types::*;
#(
    parameter int H = 1,
    parameter int W = 1,
    parameter int Q = 1,
    parameter int P = 1,
    parameter int RSETS = 1,
    parameter int E = 1,
    parameter int T = 1,
    parameter int D = 1,
    parameter int RUNS = 1,         // runs of a row that is long enough
    parameter int NEW_COLUMNS = 1,  // window columns that are new where a position does not begin a run
    parameter int LC = 1,
    parameter int I0 = 1,
    parameter int I1 = 1,
    parameter int O = 1
) (
    input  logic      clk,
    input  sizes_t    sizes,
    output position_t coming,
    output int        image_phase,   // cycles in which words of `coming` came before this one; stays at the last
    output control_t  control,       // of place 0
    output logic      result_valid,  // with the add of place 0
    output result_t   result,
    output logic      busy
);
  // The order of positions and folds.
  position_t entered, following;
  logic last_position, last_fold;
  int run;

  assign run = coming.column % RUNS;

  always_comb begin
    following = coming;
    last_position = 1'b0;
    last_fold = 1'b0;
    if (coming.column + RUNS < sizes.columns) following.column = coming.column + RUNS;
    else if (run + 1 < min(RUNS, sizes.columns)) following.column = run + 1;
    else begin
      following.column = 0;
      if (coming.row + E < sizes.rows) following.row = coming.row + E;
      else begin
        following.row = 0;
        if (coming.image + 1 < sizes.images) following.image = coming.image + 1;
        else begin
          following.image = 0;
          last_position = 1'b1;
        end
      end
    end
    if (last_position) begin
      if (coming.filter_column + W < sizes.filter_columns) following.filter_column = coming.filter_column + W;
      else begin
        following.filter_column = 0;
        if (coming.filter_row + H < sizes.filter_rows) following.filter_row = coming.filter_row + H;
        else begin
          following.filter_row = 0;
          if (coming.channel + RSETS * Q < sizes.channels) following.channel = coming.channel + RSETS * Q;
          else begin
            following.channel = 0;
            if (coming.filter + T * P < sizes.filters) following.filter = coming.filter + T * P;
            else begin
              following.filter = 0;
              following.group = coming.group + D;
              last_fold = coming.group + D >= sizes.groups;
            end
          end
        end
      end
    end
  end

  // The rule of hardware.
  logic active = 1'b1;
  logic loading = 1'b1;
  logic filters_there = 1'b0;  // those of the fold of `coming`
  logic stepping = 1'b0;
  int load_step = 0;
  int phase = 0;
  int output_cycles_left = 0;
  int k = 0;
  int f = 0;
  logic fresh, words_come, last_load, last_step, enter;

  assign fresh = coming.column < RUNS;
  assign words_come = phase >= (fresh ? I0 : I1) - 1;
  assign last_load = loading && load_step == LC - 1;
  assign last_step = stepping && k == Q * W - 1 && f == P - 1;
  assign enter = active && words_come && (filters_there || last_load) && (!stepping || last_step)
      && output_cycles_left == 0;
  assign image_phase = phase;

  initial begin
    coming = '0;
    entered = '0;
  end

  always_ff @(posedge clk) begin
    phase <= enter ? 0 : words_come ? phase : phase + 1;
    output_cycles_left <= enter ? O - 1 : output_cycles_left == 0 ? 0 : output_cycles_left - 1;
    if (loading) load_step <= last_load ? 0 : load_step + 1;
    if (last_load) begin
      loading <= 1'b0;
      filters_there <= 1'b1;
    end
    if (stepping) begin
      f <= f == P - 1 ? 0 : f + 1;
      if (f == P - 1) k <= k + 1;
    end
    if (last_step) begin
      stepping <= 1'b0;
      loading <= active && !filters_there;
    end
    if (enter) begin
      entered <= coming;
      coming <= following;
      stepping <= 1'b1;
      k <= 0;
      f <= 0;
      if (last_position) filters_there <= 1'b0;
      if (last_position && last_fold) active <= 1'b0;
    end
  end

  // What place 0 does.
  logic add = 1'b0;
  int add_k = 0;
  result_t add_result = '0;
  int columns_left, real_columns;

  assign columns_left = sizes.filter_columns - coming.filter_column;
  assign real_columns = columns_left < W ? columns_left : W;

  always_comb begin
    control.load = loading;
    control.load_step = load_step;
    control.enter = enter;
    control.fresh = fresh;
    control.real_columns = real_columns;
    control.new_from = fresh || real_columns <= NEW_COLUMNS ? 0 : real_columns - NEW_COLUMNS;
    control.real_filter_rows = sizes.filter_rows - coming.filter_row;
    control.real_rows = sizes.rows - coming.row;
    control.multiply = stepping;
    control.multiply_k = k;
    control.multiply_f = f;
    control.add = add;
    control.add_k = add_k;
    control.add_f = add_result.f;
  end

  always_ff @(posedge clk) begin
    add <= stepping;
    add_k <= k;
    add_result.position <= entered;
    add_result.f <= f;
    add_result.first_block <= entered.channel == 0 && entered.filter_row == 0 && entered.filter_column == 0;
  end

  assign result_valid = add && add_k == Q * W - 1;
  assign result = add_result;
  assign busy = active || stepping || add;
endmodule
