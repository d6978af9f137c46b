#include <cstdint>
#include <iterator>
#include <sstream>

#include "sim/core/error.h"
#include "sim/record/run_reader.h"

namespace skiff {

StoredModel read_model(const RunReader& run) {
  const auto refuse = [&](const char* what) { throw DataError(run.path().string(), what); };
  if (!run.has("/model/values")) {
    refuse("holds no final model; record: {final_model: true} keeps it");
  }
  std::istringstream words(run.attribute("/model", "order"));
  const std::vector<std::string> orders{std::istream_iterator<std::string>(words), {}};
  if (orders.empty()) {
    refuse("does not say how the matrices of its model stand; run it again");
  }
  StoredModel model;
  const std::vector<std::string> names = run.names("/model/slice");
  const std::vector<double> rows = run.column("/model/rows"), cols = run.column("/model/cols");
  const std::vector<double> offsets = run.column("/model/offset");
  const std::vector<double> values = run.column("/model/values");
  std::uint64_t next = 0;
  for (const std::size_t n : {rows.size(), cols.size(), offsets.size(), orders.size()}) {
    if (n != names.size()) refuse("has a damaged table of the slices of its model");
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ModelSlice slice{.name = names[i],
                           .rows = static_cast<std::uint32_t>(rows[i]),
                           .cols = static_cast<std::uint32_t>(cols[i]),
                           .offset = static_cast<std::uint64_t>(offsets[i]),
                           .by_input = orders[i] == "by_column"};
    const std::uint64_t size = std::uint64_t{slice.rows} * slice.cols;
    if (slice.offset != next || size > values.size() - next) {
      refuse("has a damaged table of the slices of its model");
    }
    next += size;
    model.slices.push_back(slice);
  }
  if (next != values.size()) refuse("has more parameters than its slices name");
  model.values.assign(values.begin(), values.end());
  return model;
}

}  // namespace skiff
