// Queueing, availability and radio in closed form, through whole scenarios whose arrivals, sizes
// and links are written down one by one; what a better device may not do.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "sim/core/distributions.h"
#include "tests/federation/run_scenario.h"

namespace skiff {
namespace {

using test::Ran;
using test::run;

// A link without headers, round trips or limits of its own, with the given radio.
std::string catalogue_with(const std::string& name, const std::string& rtt,
                           const std::string& radio) {
  const auto file = std::filesystem::temp_directory_path() / ("skiff_oracle_" + name + ".yaml");
  std::ofstream(file) << "sources: {test: as the oracle has it}\nlinks:\n  bare:\n"
                         "    about: nothing of its own\n    metered: false\n"
                         "    download: {value: 100 Gbps, source: test, confidence: high}\n"
                         "    upload: {value: 100 Gbps, source: test, confidence: high}\n"
                         "    spread: {value: 0, source: test, confidence: high}\n"
                         "    rtt: {value: "
                      << rtt
                      << ", source: test, confidence: high}\n"
                         "    header: {value: 0, source: test, confidence: high}\n    radio:\n"
                      << radio;
  return file.string();
}

std::string radio_of(const std::vector<std::string>& values) {
  const char* const keys[] = {"upload",          "download",  "base",      "promotion_time",
                              "promotion_power", "tail_time", "tail_power"};
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += fmt::format("      {}: {{value: {}, source: test, confidence: high}}\n", keys[i],
                        values[i]);
  }
  return text;
}
std::string silent_radio() {
  return radio_of({"0 mW/Mbps", "0 mW/Mbps", "0 W", "0 s", "0 W", "0 s", "0 W"});
}

struct Estimate {
  double mean = 0, error = 0;
};
Estimate by_batches(const std::vector<double>& values, std::size_t batches) {
  const std::size_t length = values.size() / batches;
  std::vector<double> means(batches);
  Estimate e;
  for (std::size_t b = 0; b < batches; ++b) {
    for (std::size_t i = 0; i < length; ++i) means[b] += values[b * length + i];
    means[b] /= static_cast<double>(length);
    e.mean += means[b] / static_cast<double>(batches);
  }
  double square = 0;
  for (const double m : means) square += (m - e.mean) * (m - e.mean);
  e.error = std::sqrt(square / static_cast<double>((batches - 1) * batches));
  return e;
}

// Oracle 3: clients end their computing as a Poisson stream and upload over the server's link, rho
// = 0.8: M/G/1 processor sharing, E[T | x] = 5 x / C whatever the law of the sizes.
void expect_processor_sharing(const std::string& law, const std::function<double(Stream&)>& draw) {
  constexpr int kClients = 10'000;
  constexpr int kWarmUp = 1'000, kBatches = 20;
  Stream arrivals(6, "test.arrivals"), sizes(6, "test.sizes");
  std::string ends, bytes;
  double at = 0;
  for (int i = 0; i < kClients; ++i) {
    at += exponential(arrivals, 1.25);
    ends += fmt::format("{}{:.9f} s", i == 0 ? "" : ", ", at);
    bytes += fmt::format("{}{:.0f} B", i == 0 ? "" : ", ", std::ceil(1e6 * draw(sizes)));
  }
  const Ran r = run(fmt::format(
      "seed: 3\n"
      "data: {{source: none, clients: {}, samples_per_client: 1, partition: {{scheme: iid}}}}\n"
      "devices: {{population: {{rpi-5-8g: 1}}, catalogue: {},\n"
      "  network: {{links: {{bare: 1}}, rates: constant, rtt: 0 s, server_download: 1 MB/s}}}}\n"
      "server: {{protocol: synchronous, participants: all, rounds: 1}}\n"
      "training: {{mode: timing-only, download: 0 B, compute_time: {{list: [{}]}},\n"
      "  upload: {{list: [{}]}}}}\n",
      kClients, catalogue_with("sharing", "1 ms", silent_radio()), ends, bytes));
  ASSERT_EQ(r.attempts().size(), static_cast<std::size_t>(kClients));
  std::vector<AttemptRow> rows = r.attempts();
  std::sort(rows.begin(), rows.end(),
            [](const AttemptRow& a, const AttemptRow& b) { return a.train_end < b.train_end; });
  std::vector<double> slowdown;
  for (int i = kWarmUp; i < kClients - 1'000; ++i) {  // the last ones find nobody after them
    const AttemptRow& a = rows[static_cast<std::size_t>(i)];
    slowdown.push_back((a.upload_end - a.train_end).value() / (as_double(a.bytes_up) / 1e6));
  }
  const Estimate e = by_batches(slowdown, kBatches);
  EXPECT_NEAR(e.mean, 5, 4 * e.error) << law;
  EXPECT_LT(e.error, 0.5) << law;
}
TEST(OracleThree, UploadsOfExponentialSize) {
  expect_processor_sharing("exponential", [](Stream& s) { return exponential(s, 1); });
}
TEST(OracleThree, UploadsOfOneSize) {
  expect_processor_sharing("deterministic", [](Stream&) { return 1.0; });
}
TEST(OracleThree, UploadsOfLognormalSize) {
  expect_processor_sharing("lognormal", [](Stream& s) { return lognormal(s, std::exp(-0.5), 1); });
}

// Oracle 10: devices come and go with constant hazards; at the start of rounds 30 h apart, three
// relaxation times, the count online is Binomial(n, A), A = l_on / (l_on + l_off) = 0.4.
TEST(OracleTen, TheCountOnlineIsBinomial) {
  constexpr int kDevices = 1'000, kRounds = 400;
  const Ran r = run(fmt::format(
      "seed: 4\n"
      "data: {{source: none, clients: {}, samples_per_client: 1, partition: {{scheme: iid}}}}\n"
      "devices: {{population: {{rpi-5-8g: 1}},\n"
      "  availability: {{name: diurnal, swing: 1, online: 0.4, session: 10 h}}}}\n"
      "server: {{protocol: synchronous, participants: all, rounds: {}, deadline: 30 h}}\n"
      "training: {{mode: timing-only, compute_time: 1000 h, download: 0 B, upload: 0 B}}\n",
      kDevices, kRounds));
  std::vector<double> online(kRounds, 0.0);
  for (const AttemptRow& a : r.attempts()) {
    const std::int64_t start = (a.round - 1) * 30LL * 3'600'000'000'000;
    if (a.selected.ns == start) online[a.round - 1] += 1;  // the others came later
  }
  ASSERT_EQ(r.rounds().back().virtual_time, VirtualTime{kRounds * 30LL * 3'600'000'000'000});
  double mean = 0, square = 0;
  for (const double n : online) mean += n / kRounds;
  for (const double n : online) square += (n - mean) * (n - mean) / (kRounds - 1);
  const double variance = kDevices * 0.4 * 0.6;
  EXPECT_NEAR(mean, kDevices * 0.4, 4 * std::sqrt(variance / kRounds));
  EXPECT_NEAR(square / variance, 1, 4 * std::sqrt(2.0 / (kRounds - 1)));
}

// One device, one upload.
Ran one_upload(const std::string& network, const std::string& catalogue, const std::string& bytes) {
  return run(
      "seed: 1\n"
      "data: {source: none, clients: 1, samples_per_client: 1, partition: {scheme: iid}}\n"
      "devices: {population: {rpi-5-8g: 1}, catalogue: " +
      catalogue + ", network: {links: {bare: 1}, rates: constant, " + network +
      "}}\n"
      "server: {protocol: synchronous, participants: 1, rounds: 1}\n"
      "training: {mode: timing-only, compute_time: 1 s, download: 0 B, upload: " +
      bytes + "}\n");
}

// Oracle 14: 100 Mbps, 50 ms: a handshake of two round trips, then windows that double.
TEST(OracleFourteen, SlowStartIsExact) {
  const std::string file = catalogue_with("slow_start", "50 ms", silent_radio());
  const struct {
    const char* bytes;
    double seconds;
  } rows[] = {{"100 kB", 0.1 + 56'200 / 12.5e6},
              {"1 MB", 0.3 + 80'200 / 12.5e6},
              {"10 MB", 1.026416},
              {"100 MB", 8.226416}};
  for (const auto& row : rows) {
    const Ran r = one_upload("upload: 100 Mbps, rtt: 50 ms", file, row.bytes);
    const AttemptRow& a = r.attempts().at(0);
    EXPECT_NEAR((a.upload_end - a.train_end).value(), 0.1 + row.seconds, 2e-9) << row.bytes;
  }
}
// Oracle 14: the radio of a 2012 handset, 10 MB up at 10 Mbps over LTE: 45.376 J to send, 12.271 J
// of tail, 0.315 J of promotion.
TEST(OracleFourteen, LteOf2012CostsWhatThePaperSays) {
  const std::string file = catalogue_with("lte", "1 ms",
                                          radio_of({"438.39 mW/Mbps", "51.97 mW/Mbps", "1288.04 mW",
                                                    "260 ms", "1211 mW", "11.576 s", "1060 mW"}));
  const Ran r = one_upload("upload: 10 Mbps, rtt: 0 s", file, "10 MB");
  const AttemptRow& a = r.attempts().at(0);
  EXPECT_NEAR((a.upload_end - a.train_end).value(), 8, 1e-8);
  EXPECT_NEAR(a.energy.radio.value(), 57.961, 1e-3);
}

// A shipped board under another name, parts of its text exchanged.
std::string board_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::ifstream in(test::profiles() + "/boards.yaml");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::size_t board = text.find("  rpi-5-8g:");
  const std::size_t next = text.find("\n  jetson-nano-4g:", board);
  std::string own = text.substr(board, next - board) + "\n";
  own.replace(0, own.find(':'), "  board");
  for (const auto& [from, to] : changes) {
    const std::size_t at = own.find(from);
    SKIFF_CHECK(at != std::string::npos, "no such part of the board: " + from);
    own.replace(at, from.size(), to);
  }
  const auto file = std::filesystem::temp_directory_path() / "skiff_oracle_board.yaml";
  std::ofstream(file) << text.substr(0, text.find("classes:")) << "classes:\n" << own;
  return file.string();
}

std::vector<Seconds> computed_rounds(const std::string& catalogue) {
  const Ran r =
      run("seed: 9\n"
          "data: {source: glyphs, clients: 40, samples_per_client: 60, partition: {scheme: iid}}\n"
          "model: {architecture: mlp, hidden: [256, 256]}\n"
          "devices: {population: {board: 1}, catalogue: " +
          catalogue +
          "}\n"
          "server: {protocol: synchronous, participants: 10, over_selection: 1.3, rounds: 10}\n"
          "training: {mode: timing-only, epochs: 20, batch: 20,\n"
          "  optimizer: {name: sgd, learning_rate: 0.1}}\n");
  return r.round_durations();
}

// Oracle 15 for what a device is: the same luck with a faster processor, more bandwidth to memory
// or more RAM.
TEST(OracleFifteen, ABetterDeviceNeverLengthensARound) {
  const std::vector<Seconds> before = computed_rounds(board_with({}));
  const struct {
    const char *from, *to;
    bool faster;
  } changes[] = {{"fp32: {value: 154 GFLOP/s", "fp32: {value: 308 GFLOP/s", true},
                 {"bandwidth: {value: 17.1 GB/s", "bandwidth: {value: 34.2 GB/s", false},
                 {"ram: {value: 8 GiB", "ram: {value: 16 GiB", false},
                 {"read: {value: 90 MB/s", "read: {value: 180 MB/s", false}};
  for (const auto& change : changes) {
    const std::vector<Seconds> after = computed_rounds(board_with({{change.from, change.to}}));
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      EXPECT_LE(after[i].value(), before[i].value()) << change.to << " round " << i + 1;
      if (change.faster) {
        EXPECT_LT(after[i].value(), before[i].value()) << change.to;
      }
    }
  }
}

}  // namespace
}  // namespace skiff
