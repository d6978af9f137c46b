// From what a source loaded to what a federation trains on: holds out the test set and the
// server's samples, then partitions the rest over the clients.
//
// Order: (1) a source without a test set loses test_fraction of its rows to one, drawn within each
// natural client if there are such (LEAF's sample-wise split: floor((1 - fraction) n) of a client's
// n rows stay), else over all rows; (2) server_samples rows are drawn from what is left; (3) the
// partition sees the remaining rows in their original order. Streams: "data.test", "data.server",
// "data.partition" of the seed. Errors: std::invalid_argument, and those of load().
#pragma once

#include <cstdint>
#include <string>

#include "algorithms/data/partition.h"
#include "algorithms/data/source.h"

namespace skiff {

DatasetPtr federate(LoadedData data, const Partition& partition, const DataOptions& options,
                    std::uint64_t seed);

// Loads and federates. `name` is kept as FederatedDataset::source.
DatasetPtr load_dataset(const std::string& name, const DataSource& source,
                        const Partition& partition, const DataOptions& options, std::uint64_t seed);

}  // namespace skiff
