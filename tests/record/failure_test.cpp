// Full disks, limits, unwritable folders: a clear message, and nothing recorded is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>

#include "sim/core/error.h"
#include "sim/record/hdf5_recorder.h"
#include "sim/record/run_reader.h"
#include "tests/record/sample_run.h"
#include "tests/scratch_folder.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Records rounds until something goes wrong; what, and how much was recorded before.
struct Ending {
  std::string message;
  std::uint32_t rounds = 0;
  std::uint64_t attempts = 0;
};

Ending record_until_it_fails(const fs::path& file) {
  Ending ending;
  try {
    Hdf5Recorder recorder(file, sample::info(5000, 100'000));
    try {
      sample::Luck luck;
      VirtualTime now{};
      for (std::uint32_t r = 1; r <= 100'000; ++r) {
        now = sample::round(recorder, luck, r, now);
      }
      recorder.finish({});
    } catch (const RunError& error) {
      ending = {error.what(), recorder.tally().rounds(), recorder.tally().attempts()};
      EXPECT_THROW(recorder.add(RoundRow{}), RunError);
      recorder.finish({RunStatus::kFailed, ""});  // must be harmless
      EXPECT_EQ(recorder.results_sha256(), "");
    }
  } catch (const RunError& error) {
    ending.message = error.what();
  }
  return ending;
}

void expect_everything_kept(const fs::path& file, const Ending& ending, const char* reason) {
  const std::string part = file.string() + ".part";
  EXPECT_THAT(ending.message, HasSubstr(part));
  EXPECT_THAT(ending.message, HasSubstr(reason));
  EXPECT_THAT(ending.message, HasSubstr("everything up to here is kept there"));
  EXPECT_FALSE(fs::exists(file));
  const RunReader run(part);
  EXPECT_EQ(run.text("status"), "failed");
  const auto rounds = run.column("/rounds/round");
  ASSERT_GT(rounds.size(), 100u);
  for (std::size_t i = 0; i < rounds.size(); ++i) ASSERT_EQ(rounds[i], i + 1);
  // The tally counts the row that met the trouble; that one is kept too.
  EXPECT_EQ(rounds.size(), ending.rounds);
  for (const std::string& name : run.columns("/attempts")) {
    ASSERT_EQ(run.column("/attempts/" + name).size(), ending.attempts) << name;
  }
  EXPECT_EQ(run.column("/provenance/wall_time").size(), rounds.size());
}

// A disk of so many bytes in a folder of its own.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& bytes) {
    mounted_ = ::mount("none", folder_.path().c_str(), "tmpfs", 0, ("size=" + bytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount(folder_.path().c_str());
  }
  bool mounted() const { return mounted_; }
  fs::path file() const { return folder_ / "run.h5"; }

 private:
  test::ScratchFolder folder_;
  bool mounted_ = false;
};

// In a process of its own, as limits hold for all of it. Exit code 0: no expectation failed.
void in_a_process_of_its_own(const std::function<void()>& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    check();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(FailureTest, AFullDiskLosesNothing) {
  for (const char* size : {"9m", "10m", "13m"}) {
    const SmallDisk disk(size);
    if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a small disk";
    const Ending ending = record_until_it_fails(disk.file());
    expect_everything_kept(disk.file(), ending, "No space left on device");
  }
}

TEST(FailureTest, ADiskWithoutRoomIsRefusedAtOnce) {
  const SmallDisk disk("5m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a small disk";
  const Ending ending = record_until_it_fails(disk.file());
  EXPECT_EQ(ending.message, disk.file().parent_path().string() +
                                ": No space left on device; a run needs at least 8 MB");
}

TEST(FailureTest, AFinalModelThatDoesNotFitLeavesTheRest) {
  const SmallDisk disk("10m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a small disk";
  {
    Hdf5Recorder recorder(disk.file(), sample::info());
    sample::fill(recorder);
    recorder.finish({});  // a small one fits
  }
  Hdf5Recorder recorder(disk.file().string() + "2", sample::info());
  sample::Luck luck;
  sample::round(recorder, luck, 1, VirtualTime{});
  const std::vector<float> model(5'000'000);
  const std::vector<ModelSlice> slices{{"all", 1, 5'000'000, 0}};
  EXPECT_THAT([&] { recorder.set_final_model(slices, model); },
              ::testing::ThrowsMessage<RunError>(HasSubstr("the final model does not fit")));
  const StoredRun run = read_run(disk.file().string() + "2.part");
  EXPECT_EQ(run.rounds, 1);
  EXPECT_EQ(run.status, "failed");
}

TEST(FailureTest, ALimitOfFileSizesLosesNothing) {
  in_a_process_of_its_own([] {
    const test::ScratchFolder folder;
    const rlimit limit{12'000'000, 12'000'000};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Ending ending = record_until_it_fails(folder / "run.h5");
    expect_everything_kept(folder / "run.h5", ending, "limit of file sizes (ulimit -f)");
  });
}

TEST(FailureTest, ALimitThatIsTooSmallIsRefusedAtOnce) {
  in_a_process_of_its_own([] {
    const test::ScratchFolder folder;
    const rlimit limit{100'000, 100'000};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Ending ending = record_until_it_fails(folder / "run.h5");
    EXPECT_THAT(ending.message, HasSubstr("(ulimit -f) is too small; a run needs at least 8 MB"));
  });
}

TEST(FailureTest, UnwritableFoldersAreNamed) {
  const test::ScratchFolder folder;
  std::ofstream(folder / "file") << "no folder";
  EXPECT_THAT(record_until_it_fails(folder / "file/run.h5").message,
              HasSubstr((folder / "file").string() + ": Not a directory"));
  EXPECT_THAT(record_until_it_fails("/proc/nowhere/run.h5").message, HasSubstr("/proc/nowhere: "));
  fs::create_directories(folder / "taken/run.h5.part");
  EXPECT_THAT(record_until_it_fails(folder / "taken/run.h5").message,
              HasSubstr("taken/run.h5.part: "));
  if (::geteuid() == 0) return;  // root may write anywhere
  fs::create_directories(folder / "closed");
  fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(record_until_it_fails(folder / "closed/run.h5").message,
              HasSubstr("Permission denied"));
}

TEST(FailureTest, ATargetThatCannotBeReplacedKeepsThePart) {
  const test::ScratchFolder folder;
  fs::create_directories(folder / "run.h5/occupied");  // a folder where the file should go
  Hdf5Recorder recorder(folder / "run.h5", sample::info());
  sample::fill(recorder);
  EXPECT_THAT(
      [&] {
        recorder.finish({RunStatus::kOk, "ab"});
      },
      ::testing::ThrowsMessage<RunError>(HasSubstr("everything up to here is kept")));
  EXPECT_EQ(read_run(folder / "run.h5.part").rounds, 60);
}

TEST(FailureTest, HDF5NeverPrints) {
  ::testing::internal::CaptureStderr();
  const test::ScratchFolder folder;
  fs::create_directories(folder / "taken/run.h5.part");
  record_until_it_fails(folder / "taken/run.h5");
  std::ofstream(folder / "text.h5") << "hello";
  EXPECT_THROW(read_run(folder / "text.h5"), DataError);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace skiff
