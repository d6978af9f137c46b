#include "sim/record/recorder.h"

#include "sim/core/error.h"

namespace skiff {

Recorder::Recorder(RunInfo info) : info_(std::move(info)), tally_(info_) {}

void Recorder::add(const RoundRow& row) {
  tally_.add(row);
  write(row);
}

void Recorder::add(const DeviceRow& row) {
  tally_.add(row);
  write(row);
}

void Recorder::finish(const RunEnd& end) {
  SKIFF_CHECK(!finished_, "a run is finished once");
  finished_ = true;
  end_ = end;
  results_sha256_ = close(end);
}

}  // namespace skiff
