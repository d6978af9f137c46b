#include "sim/cli/compress_report.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "algorithms/kernels/reduce.h"

namespace skiff::cli {

using Json = nlohmann::ordered_json;

std::vector<std::size_t> changed_tensors(const Model& before, const Model& after) {
  std::vector<std::size_t> changed;
  for (std::size_t t = 0; t < before.tensors.size(); ++t) {
    if (after.tensors[t].values != before.tensors[t].values) changed.push_back(t);
  }
  return changed;
}

double tensor_error(const Model& before, const Model& after, std::size_t tensor) {
  const StoredTensor &old = before.tensors[tensor], &now = after.tensors[tensor];
  const std::vector<float> w = old.dense(), left = now.dense();
  const double norm = kernels::squared_norm_double(w);
  if (norm == 0) return 0;
  if (left.size() == w.size()) return kernels::squared_distance_double(left, w) / norm;
  const auto place = [&](const std::vector<std::vector<int>>& kept, int i) {
    return static_cast<std::size_t>(
        kept[tensor].empty() ? i : kept[tensor][static_cast<std::size_t>(i)]);
  };
  std::vector<float> widened(w.size());
  std::size_t next = 0;
  for (int i = 0; i < now.rows; ++i) {
    float* row = &widened[place(after.kept_rows, i) * static_cast<std::size_t>(old.cols)];
    for (int j = 0; j < now.cols; ++j) row[place(after.kept_cols, j)] = left[next++];
  }
  return kernels::squared_distance_double(widened, w) / norm;
}

Json layer_report(const Model& before, const Model& after) {
  Json layers = Json::array();
  for (const std::size_t t : changed_tensors(before, after)) {
    layers.push_back({{"layer", before.layout->slices[t].name},
                      {"format", std::string(after.tensors[t].values->format())},
                      {"rows", after.tensors[t].rows},
                      {"cols", after.tensors[t].cols},
                      {"bits", after.tensors[t].bits()},
                      {"error", tensor_error(before, after, t)}});
  }
  return layers;
}

void add_totals(Json& out, const Model& before, const Model& after) {
  double bits = 0, weights = 0;
  for (const std::size_t t : changed_tensors(before, after)) {
    bits += 8.0 * static_cast<double>(after.tensors[t].bytes().value());
    weights += static_cast<double>(before.tensors[t].size());
  }
  out["bits_per_weight"] = weights > 0 ? bits / weights : 0;
  out["bytes_before"] = shape_of(before).stored.value();
  out["bytes"] = shape_of(after).stored.value();
}

void print_report(const Json& out) {
  for (const Json& layer : out["layers"]) {
    fmt::print("{:<48} {:>6} x {:<6} {:<7} {:7.4f} bits   error {:.6f}\n",
               layer["layer"].get<std::string>(), layer["rows"].get<int>(),
               layer["cols"].get<int>(), layer["format"].get<std::string>(),
               layer["bits"].get<double>(), layer["error"].get<double>());
  }
  fmt::print("{:.4f} bits a weight   {} bytes, before {}\n", out["bits_per_weight"].get<double>(),
             out["bytes"].get<std::int64_t>(), out["bytes_before"].get<std::int64_t>());
  if (out.contains("loss")) {
    fmt::print("loss {:.6f} nats, before {:.6f}", out["loss"].get<double>(),
               out["loss_before"].get<double>());
    if (out.contains("loss_predicted")) {
      fmt::print(", predicted {:.6f}", out["loss_predicted"].get<double>());
    }
    fmt::print("\n");
  }
  fmt::print("{:.1f} s   peak {:.0f} MB\n", out["seconds"].get<double>(),
             out["peak_memory"].get<double>() / 1e6);
}

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

}  // namespace skiff::cli
