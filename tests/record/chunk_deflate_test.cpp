// What we pack, HDF5's own filters must unpack.
#include "sim/record/chunk_deflate.h"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "sim/record/hdf5_handle.h"

namespace skiff {
namespace {

using hdf5::Handle;

// Through a file in memory: the packed chunk in, the values out.
template <class T>
std::vector<T> unpacked(std::span<const std::byte> packed, std::size_t count) {
  hdf5::silence();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "access");
  H5Pset_fapl_core(access.get(), 1 << 16, false);
  const Handle file(H5Fcreate("packed.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose,
                    "file");
  const hsize_t n = count, origin = 0;
  const Handle space(H5Screate_simple(1, &n, nullptr), H5Sclose, "space");
  const Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "plan");
  H5Pset_chunk(plan.get(), 1, &n);
  H5Pset_shuffle(plan.get());
  H5Pset_deflate(plan.get(), 1);
  const hid_t type = sizeof(T) == 8   ? H5T_NATIVE_UINT64
                     : sizeof(T) == 4 ? H5T_NATIVE_UINT32
                     : sizeof(T) == 2 ? H5T_NATIVE_UINT16
                                      : H5T_NATIVE_UINT8;
  const Handle data(
      H5Dcreate2(file.get(), "x", type, space.get(), H5P_DEFAULT, plan.get(), H5P_DEFAULT),
      H5Dclose, "data");
  hdf5::checked(H5Dwrite_chunk(data.get(), H5P_DEFAULT, 0, &origin, packed.size(), packed.data()),
                "write");
  std::vector<T> values(count);
  hdf5::checked(H5Dread(data.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "read");
  return values;
}

template <class T>
void expect_round_trip(const std::vector<T>& values, const std::string& what) {
  ChunkDeflate deflate;
  const auto packed = deflate.encode(std::as_bytes(std::span(values)), sizeof(T));
  EXPECT_EQ(unpacked<T>(packed, values.size()), values) << what;
}

template <class T>
std::size_t packed_size(const std::vector<T>& values) {
  ChunkDeflate deflate;
  return deflate.encode(std::as_bytes(std::span(values)), sizeof(T)).size();
}

TEST(ChunkDeflateTest, ConstantsOfEveryValueAndLength) {
  for (int value = 0; value < 256; ++value) {
    expect_round_trip(std::vector<std::uint8_t>(300, static_cast<std::uint8_t>(value)), "value");
  }
  for (std::size_t n = 1; n < 1100; n += n < 20 ? 1 : 37) {
    expect_round_trip(std::vector<std::uint64_t>(n, 0x0102030405060708), std::to_string(n));
  }
}

TEST(ChunkDeflateTest, RunsOfEveryLength) {
  std::vector<std::uint8_t> values;
  for (std::size_t run = 1; run < 600; ++run) {
    values.insert(values.end(), run, static_cast<std::uint8_t>(run));
    if (values.size() < 20'000) continue;
    expect_round_trip(values, "up to " + std::to_string(run));
    values.clear();
  }
}

TEST(ChunkDeflateTest, AllKindsOfColumns) {
  std::mt19937_64 random(1);
  for (const std::size_t n : {1u, 2u, 3u, 15u, 16u, 17u, 511u, 4095u, 4096u, 16384u}) {
    std::vector<std::uint64_t> noise(n), counts(n), words(n), times(n), steps(n);
    std::vector<std::uint32_t> numbers(n);
    std::vector<std::uint16_t> ranks(n);
    std::vector<std::uint8_t> outcomes(n);
    for (std::size_t i = 0; i < n; ++i) {
      noise[i] = random();
      counts[i] = random() % 1000;
      words[i] = (random() % 5) * 0x123456789abcdef;
      times[i] = std::bit_cast<std::uint64_t>(static_cast<double>(random() % 1000) * 0.37 + 5);
      steps[i] = i / 100;
      numbers[i] = static_cast<std::uint32_t>(i);
      ranks[i] = static_cast<std::uint16_t>(random() % 3 * 8);
      outcomes[i] = random() % 10 == 0 ? 1 : 0;
    }
    const std::string size = std::to_string(n);
    expect_round_trip(noise, "noise " + size);
    expect_round_trip(counts, "counts " + size);
    expect_round_trip(words, "words " + size);
    expect_round_trip(times, "times " + size);
    expect_round_trip(steps, "steps " + size);
    expect_round_trip(numbers, "numbers " + size);
    expect_round_trip(ranks, "ranks " + size);
    expect_round_trip(outcomes, "outcomes " + size);
  }
}

TEST(ChunkDeflateTest, EverySkewOfFrequencies) {
  std::mt19937_64 random(2);
  for (int skew = 1; skew < 60; ++skew) {
    std::vector<std::uint8_t> values(4096);
    for (auto& v : values) {
      const double u = static_cast<double>(random() % 1'000'000) / 1e6;
      v = static_cast<std::uint8_t>(255 * std::pow(u, skew * 0.5));
    }
    expect_round_trip(values, "skew " + std::to_string(skew));
  }
}

TEST(ChunkDeflateTest, SizesAreThoseOfAGoodCompressor) {
  EXPECT_LT(packed_size(std::vector<double>(4096, 3.5)), 300u);
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> noise(4096);
  std::vector<std::uint8_t> rare(4096);
  for (auto& v : noise) v = random();
  for (auto& v : rare) v = random() % 10 == 0 ? 1 : 0;
  EXPECT_LT(packed_size(noise), 4096u * 8 + 100);
  EXPECT_LT(packed_size(rare), 4096u / 6);  // entropy 0.47 bits, a bit each without runs
}

}  // namespace
}  // namespace skiff
