// Counts what an array's registers are written in this cycle, by the enables of its RTL: writes[i] is of the register
// number i of a dump. (Icarus 11 miscounts with +=.) Included in the test bench; the module's name is a macro.
`ifdef broadcast_stationary
if (array.loading) writes[0] = writes[0] + (R * C - array.load_step * SP < SP ? R * C - array.load_step * SP : SP);
if (array.swap) writes[1] = writes[1] + R * C;
if (array.enter) writes[2] = writes[2] + R;
if (array.valid[0]) writes[3] = writes[3] + R * C;
for (int l = 1; l <= $clog2(R); l++) if (array.valid[l]) writes[3+l] = writes[3+l] + (R + (1 << l) - 1) / (1 << l) * C;
if (array.valid[$clog2(R)+1]) writes[4+$clog2(R)] = writes[4+$clog2(R)] + C;
`endif
`ifdef broadcast_os
if (array.enter) writes[0] = writes[0] + R;
if (array.enter) writes[1] = writes[1] + C;
if (array.valid[0]) writes[2] = writes[2] + R * C;
if (array.valid[1]) writes[3] = writes[3] + R * C;
if (array.copy) writes[4] = writes[4] + R * C;
`endif
`ifdef systolic_stationary
if (array.shift) writes[0] = writes[0] + R * C;
writes[1] = writes[1] + $countones(array.fire);
writes[2] = writes[2] + $countones(array.fire);
`endif
`ifdef systolic_os
for (int i = 0; i < 3; i++) writes[i] = writes[i] + $countones(array.fire);
if (array.shift) writes[2] = writes[2] + (R - 1) * C;
`endif
`ifdef overlapped_stationary
for (int r = 0; r < R; r++)
  for (int c = 0; c < C; c++) begin
    if (array.row_at[r+c]) writes[0] = writes[0] + 1;
    if (array.row_at[r+c]) writes[1] = writes[1] + 1;
    if (array.swap_at[r+c]) writes[2] = writes[2] + 1;
    if (array.vector_at[r+c]) writes[3] = writes[3] + 1;
    if (array.vector_at[r+c]) writes[4] = writes[4] + 1;
  end
`endif
`ifdef overlapped_os
for (int r = 0; r < R; r++)
  for (int c = 0; c < C; c++) begin
    for (int i = 0; i < 3; i++) if (array.enter_at[r+c]) writes[i] = writes[i] + 1;
    if (array.accumulate_at[r+c]) writes[3] = writes[3] + 1;
    if (array.copy_at[r+c]) writes[4] = writes[4] + 1;
    if (array.shift_at[r+c] && c > 0) writes[4] = writes[4] + 1;
    if (array.shift_at[r+c]) writes[5] = writes[5] + 1;
  end
`endif
