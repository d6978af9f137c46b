#include "algorithms/data/generators.h"

#include <fmt/format.h>

#include <stdexcept>

namespace skiff {

std::size_t generated_rows(int clients, int samples_per_client, int width) {
  if (clients < 1) throw std::invalid_argument("a generator needs data.clients");
  constexpr double kMostBytes = 64e9;
  const double rows = static_cast<double>(clients) * samples_per_client;
  if (rows >= 2147483648.0 || rows * width * 4 > kMostBytes) {
    throw std::invalid_argument(
        fmt::format("{} clients with {} samples of {} features take {:.0f} GB; at most {:.0f} GB "
                    "and 2^31 samples",
                    clients, samples_per_client, width, rows * width * 4 / 1e9, kMostBytes / 1e9));
  }
  return static_cast<std::size_t>(clients) * static_cast<std::size_t>(samples_per_client);
}

void name_owners(LoadedData& data, int clients, std::size_t each, const std::string& noun) {
  data.train_owner.resize(data.train.labels.size());
  for (std::size_t i = 0; i < data.train_owner.size(); ++i) {
    data.train_owner[i] = static_cast<std::int32_t>(i / each);
  }
  for (int k = 0; k < clients; ++k) data.owners.push_back(fmt::format("{}-{}", noun, k));
}

int append_rows(Samples& samples, std::vector<std::int32_t>& owners, std::size_t n,
                std::int32_t owner) {
  const int first = samples.rows();
  samples.labels.resize(samples.labels.size() + n);
  samples.features.resize(samples.labels.size() * static_cast<std::size_t>(samples.width));
  owners.resize(samples.labels.size(), owner);
  return first;
}

}  // namespace skiff
