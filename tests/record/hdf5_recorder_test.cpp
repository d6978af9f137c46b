// run.h5 as it is written, read back by our reader and by Python.
#include "sim/record/hdf5_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sim/core/error.h"
#include "sim/record/inspect.h"
#include "sim/record/memory_recorder.h"
#include "sim/record/run_reader.h"
#include "tests/record/sample_run.h"
#include "tests/scratch_folder.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string write_sample(const fs::path& file, RunInfo info = sample::info()) {
  Hdf5Recorder recorder(file, std::move(info));
  sample::fill(recorder);
  recorder.finish({RunStatus::kOk, "5d1c09e2aabbccdd"});
  return recorder.results_sha256();
}

TEST(Hdf5RecorderTest, EveryRowComesBack) {
  const test::ScratchFolder folder;
  MemoryRecorder memory(sample::info());
  sample::fill(memory);
  memory.finish({});
  EXPECT_EQ(write_sample(folder / "run.h5"), memory.results_sha256());

  const RunReader run(folder / "run.h5");
  const auto device = run.column("/attempts/device");
  const auto upload_end = run.column("/attempts/upload_end");
  const auto outcome = run.column("/attempts/outcome");
  const auto bits = run.column("/attempts/bits");
  ASSERT_EQ(device.size(), memory.attempts().size());
  for (std::size_t i = 0; i < device.size(); ++i) {
    const AttemptRow& row = memory.attempts()[i];
    ASSERT_EQ(device[i], row.device);
    ASSERT_EQ(outcome[i], static_cast<double>(row.outcome));
    ASSERT_EQ(bits[i], row.bits);
    ASSERT_EQ(std::isnan(upload_end[i]), row.upload_end == kNever);
    if (row.upload_end == kNever) continue;
    ASSERT_EQ(upload_end[i], to_seconds(row.upload_end).value());
  }
  const auto accuracy = run.column("/rounds/test_accuracy");
  ASSERT_EQ(accuracy.size(), 60u);
  EXPECT_EQ(accuracy[59], memory.rounds()[59].metrics[1].second);
  EXPECT_EQ(run.shape("/tiers/accuracy"), (std::vector<std::uint64_t>{60, 2}));
  EXPECT_EQ(run.column("/tiers/accuracy")[1], memory.tiers()[1].accuracy);
  EXPECT_EQ(run.column("/model/values"), std::vector<double>(1000, 0.5));
  EXPECT_EQ(run.column("/memory/bytes")[7], 400'000);
  EXPECT_EQ(run.column("/provenance/wall_time")[9], memory.rounds()[9].wall_time.value());
  EXPECT_THAT(run.words("/attempts/outcome"),
              ElementsAre("accepted", "late", "refused", "aborted"));
  EXPECT_THAT(run.words("/devices/class"),
              ElementsAre("iphone-15-pro", "pixel-8-pro", "budget-android", "iot-sensor"));
  EXPECT_EQ(run.columns("/attempts").size(), 30u);
  EXPECT_EQ(run.columns("/rounds").size(), 14u);
}

TEST(Hdf5RecorderTest, MoreRowsThanAChunk) {
  const test::ScratchFolder folder;
  RunInfo info = sample::info(3000, 1);
  info.metrics = {"test_loss"};
  Hdf5Recorder recorder(folder / "run.h5", info);
  MemoryRecorder memory(info);
  sample::Luck luck;
  for (std::uint32_t i = 0; i < 40'000; ++i) {
    const std::uint32_t device = i % 3000;
    const AttemptRow row =
        sample::attempt(luck, device, sample::kClasses[info.class_of_device[device]], 1 + i / 100,
                        VirtualTime{i * 1000LL}, Seconds(300));
    recorder.add(row);
    memory.add(row);
    if (i % 10'007 == 0) recorder.flush();
    if (i % 4 != 0) continue;
    for (Recorder* r : {static_cast<Recorder*>(&recorder), static_cast<Recorder*>(&memory)}) {
      r->add(RoundRow{.round = 1 + i / 4});
      r->add(TierRow{.round = 1 + i / 4, .tier = i / 4 % 2, .accuracy = 0.001 * i});
    }
  }
  recorder.finish({});
  memory.finish({});
  EXPECT_EQ(recorder.results_sha256(), memory.results_sha256());
  const RunReader run(folder / "run.h5");
  const auto loss = run.column("/attempts/train_loss");
  ASSERT_EQ(loss.size(), 40'000u);
  for (std::size_t i = 0; i < loss.size(); ++i) {
    const double expected = memory.attempts()[i].train_loss;
    if (std::isnan(expected)) continue;
    ASSERT_EQ(loss[i], expected);
  }
  EXPECT_EQ(run.column("/rounds/round").back(), 10'000);
  const auto tiers = run.column("/tiers/accuracy");  // one tier a round: the other one is NaN
  EXPECT_EQ(tiers[0], 0);
  EXPECT_TRUE(std::isnan(tiers[1]));
  EXPECT_EQ(tiers[2 * 9999 + 1], 0.001 * 39'996);
}

TEST(Hdf5RecorderTest, IsCalledPartUntilItIsWhole) {
  const test::ScratchFolder folder;
  const fs::path file = folder / "deep/folder/run.h5";
  Hdf5Recorder recorder(file, sample::info());
  sample::fill(recorder);
  EXPECT_TRUE(fs::exists(file.string() + ".part"));
  EXPECT_FALSE(fs::exists(file));
  recorder.finish({RunStatus::kInterrupted, "ab"});
  EXPECT_FALSE(fs::exists(file.string() + ".part"));
  EXPECT_EQ(read_run(file).status, "interrupted");
  EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), {}), 1);
}

TEST(Hdf5RecorderTest, AnEarlierRunStandsUntilTheNewOneIsWhole) {
  const test::ScratchFolder folder;
  const std::string first = write_sample(folder / "run.h5");
  {
    Hdf5Recorder recorder(folder / "run.h5", sample::info());
    recorder.add(RoundRow{.round = 1});
  }  // never finished
  EXPECT_EQ(read_run(folder / "run.h5").results_sha256, first);
  const StoredRun rest = read_run((folder / "run.h5").string() + ".part");
  EXPECT_EQ(rest.status, "failed");
  EXPECT_EQ(rest.rounds, 1);
}

TEST(Hdf5RecorderTest, WhatWasFlushedCanBeReadAfterwards) {
  const test::ScratchFolder folder;
  Hdf5Recorder recorder(folder / "run.h5", sample::info());
  sample::Luck luck;
  sample::round(recorder, luck, 1, VirtualTime{});
  recorder.flush();
  const fs::path part = (folder / "run.h5").string() + ".part";
  fs::copy_file(part, folder / "killed.h5");  // as a killed process would have left it
  const StoredRun run = read_run(folder / "killed.h5");
  EXPECT_EQ(run.status, "failed");
  EXPECT_EQ(run.rounds, 1);
  EXPECT_EQ(run.tables[1].rows, 26);
}

TEST(Hdf5RecorderTest, TablesThatAreNotWantedAreNotThere) {
  const test::ScratchFolder folder;
  RunInfo info = sample::info(10, 2);
  info.keep_attempts = false;
  info.tiers.clear();
  Hdf5Recorder recorder(folder / "run.h5", info);
  recorder.add(AttemptRow{.outcome = Outcome::kLate, .bytes_up = Bytes(5)});
  recorder.add(LayerRow{.round = 1});
  recorder.finish({});
  EXPECT_EQ(recorder.tally().bytes_up(), Bytes(5));  // counted all the same
  const RunReader run(folder / "run.h5");
  for (const char* group : {"/attempts", "/layers", "/tiers", "/evaluations", "/model"}) {
    EXPECT_FALSE(run.has(group)) << group;
  }
  EXPECT_TRUE(run.has("/rounds"));
  EXPECT_TRUE(run.column("/rounds/energy").empty());
  EXPECT_TRUE(run.column("/devices/ram").empty());
}

TEST(Hdf5RecorderTest, ManyDeviceClassesFit) {
  const test::ScratchFolder folder;
  RunInfo info = sample::info(0, 0);
  info.device_classes.clear();
  for (int c = 0; c < 300; ++c) info.device_classes.push_back("class-" + std::to_string(c));
  info.class_of_device = {299};
  Hdf5Recorder recorder(folder / "run.h5", info);
  recorder.add(DeviceRow{.device_class = 299});
  recorder.finish({});
  const RunReader run(folder / "run.h5");
  EXPECT_THAT(run.column("/devices/class"), ElementsAre(299));
  EXPECT_EQ(run.words("/devices/class")[299], "class-299");
}

TEST(Hdf5RecorderTest, IsASmallFileForASmallRun) {
  const test::ScratchFolder folder;
  write_sample(folder / "run.h5");
  EXPECT_LT(fs::file_size(folder / "run.h5"), 500'000u);
}

TEST(RunReaderTest, InspectionReadsAsPromised) {
  const test::ScratchFolder folder;
  const std::string results = write_sample(folder / "run.h5");
  const StoredRun run = read_run(folder / "run.h5");
  EXPECT_EQ(run.seed, 7);
  EXPECT_EQ(run.devices, 200);
  EXPECT_EQ(inspect_text(run),
            "quickstart  seed 7  ok  60 rounds  2.7 h virtual\n"
            "accuracy 0.917  down 178.2 MB  up 142.1 MB  energy 34.0 kJ\n"
            "config 7be1d0  results " +
                results.substr(0, 8) +
                "  fingerprint 5d1c09e2  skiff 0.1.0\n"
                "/rounds 60 x 14  /attempts 1,560 x 30  /devices 200  /tiers 60 x 2\n"
                "  /evaluations 1  /memory 2 x 7  /model 1,000\n");
  EXPECT_EQ(inspect_json(run)["tables"]["attempts"]["rows"], 1560);
  EXPECT_EQ(inspect_json(run)["results_sha256"], results);
}

TEST(RunReaderTest, TheConfigurationOfAFolderIsKnown) {
  const test::ScratchFolder folder;
  EXPECT_EQ(existing_config_sha256(folder / "run.h5"), "");
  write_sample(folder / "run.h5");
  EXPECT_EQ(existing_config_sha256(folder / "run.h5").substr(0, 6), "7be1d0");
}

TEST(RunReaderTest, WhatIsNoRunIsNamed) {
  const test::ScratchFolder folder;
  EXPECT_THAT([&] { read_run(folder / "none.h5"); },
              ::testing::ThrowsMessage<DataError>(HasSubstr("none.h5: no such file")));
  std::ofstream(folder / "text.h5") << "hello";
  EXPECT_THAT([&] { existing_config_sha256(folder / "text.h5"); },
              ::testing::ThrowsMessage<DataError>(HasSubstr("text.h5: not a readable run")));
  write_sample(folder / "run.h5");
  const auto size = static_cast<double>(fs::file_size(folder / "run.h5"));
  for (const double share : {0.02, 0.3, 0.7, 0.99}) {
    fs::copy_file(folder / "run.h5", folder / "cut.h5", fs::copy_options::overwrite_existing);
    fs::resize_file(folder / "cut.h5", static_cast<std::uintmax_t>(share * size));
    EXPECT_THROW(read_run(folder / "cut.h5"), DataError) << share;
  }
}

// h5py, pandas and xarray see columns, units, coordinates; and the digest can be computed from the
// file alone.
TEST(Hdf5RecorderTest, PythonReadsItAsItIs) {
  if (std::system("/usr/bin/python3 -c 'import h5py, pandas, xarray, h5netcdf' 2>/dev/null") != 0) {
    GTEST_SKIP() << "Python's h5py, pandas, xarray or h5netcdf are missing";
  }
  const test::ScratchFolder folder;
  RunInfo info = sample::info();
  info.keep_layers = true;
  {
    Hdf5Recorder recorder(folder / "run.h5", info);
    sample::fill(recorder);
    recorder.add(LayerRow{.round = 1, .layer = 2, .error = 0.1});
    recorder.finish({RunStatus::kOk, "5d1c09e2aabbccdd"});
  }
  const char* source = std::getenv("SKIFF_SOURCE");
  const std::string script =
      std::string(source != nullptr ? source : ".") + "/tests/record/read_back.py";
  const std::string command = "/usr/bin/python3 " + script + " " + (folder / "run.h5").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace skiff
