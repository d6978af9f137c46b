#include "algorithms/data/federate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "sim/core/distributions.h"

namespace skiff {
namespace {

using RowList = std::vector<std::uint32_t>;

// Moves `rows` (ascending) out of `from`; the others close up in their order.
Samples take_rows(Samples& from, std::span<const std::uint32_t> rows) {
  Samples out(rows.size(), from.width);
  out.length = from.length;
  out.tokens.resize(rows.size() * static_cast<std::size_t>(from.length));
  const std::size_t row_bytes = static_cast<std::size_t>(from.width) * sizeof(float);
  std::size_t taken = 0;
  int kept = 0;
  for (int i = 0; i < from.rows(); ++i) {
    const bool take = taken < rows.size() && rows[taken] == static_cast<std::uint32_t>(i);
    Samples& to = take ? out : from;
    const int at = take ? static_cast<int>(taken++) : kept++;
    if (&to == &from && at == i) continue;
    if (row_bytes > 0) std::memcpy(to.row(at), from.row(i), row_bytes);
    std::copy_n(from.text(i), from.length, to.text(at));
    to.labels[static_cast<std::size_t>(at)] = from.labels[static_cast<std::size_t>(i)];
  }
  from.labels.resize(static_cast<std::size_t>(kept));
  from.features.resize(from.labels.size() * static_cast<std::size_t>(from.width));
  from.features.shrink_to_fit();
  from.tokens.resize(from.labels.size() * static_cast<std::size_t>(from.length));
  return out;
}

std::vector<std::int32_t> take_owners(std::vector<std::int32_t>& from,
                                      std::span<const std::uint32_t> rows) {
  std::vector<std::int32_t> out, kept;
  if (from.empty()) return out;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bool take = out.size() < rows.size() && rows[out.size()] == i;
    (take ? out : kept).push_back(from[i]);
  }
  from = std::move(kept);
  return out;
}

// `count` of the rows, drawn without replacement, ascending.
RowList draw_rows(RowList rows, std::size_t count, Stream& stream) {
  shuffle(stream, std::span(rows));
  rows.resize(count);
  std::sort(rows.begin(), rows.end());
  return rows;
}

RowList all_rows(const Samples& samples) {
  RowList rows(samples.labels.size());
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

RowList test_rows(const LoadedData& data, double fraction, Stream stream) {
  const auto held_out = [&](std::size_t n) {  // the tolerance: 0.9 x 10 must keep 9
    return n - static_cast<std::size_t>(std::floor((1 - fraction) * static_cast<double>(n) + 1e-9));
  };
  if (data.train_owner.empty()) {
    const std::size_t n = data.train.labels.size();
    return draw_rows(all_rows(data.train), held_out(n), stream);
  }
  std::vector<RowList> by_owner(data.owners.size());
  for (std::size_t i = 0; i < data.train_owner.size(); ++i) {
    if (data.train_owner[i] < 0) continue;
    by_owner[static_cast<std::size_t>(data.train_owner[i])].push_back(
        static_cast<std::uint32_t>(i));
  }
  RowList out;
  for (std::size_t owner = 0; owner < by_owner.size(); ++owner) {
    const std::size_t count = held_out(by_owner[owner].size());
    Stream own = stream.child("owner", owner);
    const RowList drawn = draw_rows(std::move(by_owner[owner]), count, own);
    out.insert(out.end(), drawn.begin(), drawn.end());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void hold_out(LoadedData& data, const DataOptions& options, std::uint64_t seed) {
  if (!data.has_test && options.test_fraction > 0) {
    const RowList rows = test_rows(data, options.test_fraction, Stream(seed, "data.test"));
    data.test_owner = take_owners(data.train_owner, rows);
    data.test = take_rows(data.train, rows);
  }
  const auto wanted = static_cast<std::size_t>(options.server_samples);
  if (wanted > 0 && data.server.rows() == 0) {
    if (wanted >= data.train.labels.size()) {
      throw std::invalid_argument(
          fmt::format("server_samples: {} of {} training samples; none "
                      "would be left for clients",
                      wanted, data.train.labels.size()));
    }
    Stream stream(seed, "data.server");
    const RowList rows = draw_rows(all_rows(data.train), wanted, stream);
    take_owners(data.train_owner, rows);
    data.server = take_rows(data.train, rows);
  }
}

// The test rows of each client's owner; empty if the test set belongs to nobody who takes part.
ShardList own_tests(const std::vector<std::int32_t>& owner_of_client,
                    const std::vector<std::int32_t>& test_owner, std::size_t owners) {
  ShardList list;
  if (owner_of_client.empty() || test_owner.empty()) return list;
  std::vector<RowList> rows(owners);
  for (std::size_t i = 0; i < test_owner.size(); ++i) {
    if (test_owner[i] >= 0) {
      rows[static_cast<std::size_t>(test_owner[i])].push_back(static_cast<std::uint32_t>(i));
    }
  }
  list.begin.push_back(0);
  for (const std::int32_t owner : owner_of_client) {
    const RowList& own = rows[static_cast<std::size_t>(owner)];
    list.rows.insert(list.rows.end(), own.begin(), own.end());
    list.begin.push_back(static_cast<std::int64_t>(list.rows.size()));
  }
  return list.rows.empty() ? ShardList() : list;
}

std::shared_ptr<FederatedDataset> assemble(LoadedData data, const Partition& partition,
                                           const DataOptions& options, std::uint64_t seed) {
  const Stream stream(seed, "data.partition");
  auto result = std::make_shared<FederatedDataset>();
  result->shape = data.shape;
  if (data.train.rows() == 0) {
    result->timing_only = true;
    result->shards.begin.push_back(0);
    for (const std::int64_t size : partition.sizes(data.counted, options.clients, stream)) {
      result->shards.begin.push_back(result->shards.begin.back() + size);
    }
    return result;
  }
  hold_out(data, options, seed);
  PartitionResult parts =
      partition.split({data.train.labels, data.train_owner, options.clients}, stream);
  for (int k = 0; k < parts.shards.clients(); ++k) {
    if (parts.shards.size(k) == 0) {
      throw std::invalid_argument(fmt::format("client {} would hold no samples", k));
    }
  }
  result->own_tests = own_tests(parts.owner_of_client, data.test_owner, data.owners.size());
  for (const std::int32_t owner : parts.owner_of_client) {
    if (!data.owners.empty()) {
      result->names.push_back(data.owners[static_cast<std::size_t>(owner)]);
    }
  }
  result->train = std::move(data.train);
  result->test = std::move(data.test);
  result->server = std::move(data.server);
  result->shards = std::move(parts.shards);
  return result;
}

}  // namespace

DatasetPtr federate(LoadedData data, const Partition& partition, const DataOptions& options,
                    std::uint64_t seed) {
  return assemble(std::move(data), partition, options, seed);
}

DatasetPtr load_dataset(const std::string& name, const DataSource& source,
                        const Partition& partition, const DataOptions& options,
                        std::uint64_t seed) {
  auto result = assemble(source.load(options, seed), partition, options, seed);
  result->source = name;
  return result;
}

TaskShape classification_shape(int width, int classes) {
  TaskShape shape;
  shape.width = width;
  shape.classes = classes;
  if (width == 28 * 28) shape.channels = 1, shape.height = 28, shape.image_width = 28;
  if (width == 3 * 32 * 32) shape.channels = 3, shape.height = 32, shape.image_width = 32;
  return shape;
}

}  // namespace skiff
