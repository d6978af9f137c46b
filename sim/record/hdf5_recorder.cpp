#include "sim/record/hdf5_recorder.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <optional>

#include "sim/core/error.h"
#include "sim/record/hdf5_tables.h"
#include "sim/record/result_tables.h"
#include "sim/record/run_file.h"
#include "sim/record/space_reserve.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// So much host time may be lost if the machine itself stops.
constexpr auto kFlushInterval = std::chrono::seconds(10);

fs::path folder_of(const fs::path& file) {
  fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw RunError(fmt::format("{}: {}", folder.string(), error.message()));
  return folder;
}

}  // namespace

struct Hdf5Recorder::Impl {
  Impl(const fs::path& target, const RunInfo& run)
      : info(run),
        reserve(folder_of(target)),
        file(target, run),
        sink(file.id(), [this] { reserve.release(); }),
        tables(run, &sink) {}

  template <class Row>
  void add(const Row& row) {
    if (!open) throw RunError(last_words);
    try {
      tables.add(row);
    } catch (const hdf5::Failure& failure) {
      whole = false;
      give_up(failure.what());
    }
    if (!sink.trouble().empty()) give_up(sink.trouble());
  }

  void flush() {
    try {
      for (Table* table : tables.tables()) table->flush();
      file.flush();
    } catch (const hdf5::Failure& failure) {
      give_up(failure.what());
    }
    if (!sink.trouble().empty()) give_up(sink.trouble());
    last_flush = Clock::now();
  }

  // Saves what can be saved into a readable .part.
  void abandon(const std::string& reason) {
    open = false;
    reserve.release();
    for (Table* table : tables.tables()) {
      try {
        table->flush();
      } catch (const hdf5::Failure&) {
        whole = false;
      }
      try {
        sink.cut(*table);
      } catch (const hdf5::Failure&) {
        whole = false;
      }
    }
    sink.close();
    const bool closed = file.abandon(tables.wall_times());
    last_words = fmt::format("{}: {}; ", file.part().string(), reason);
    if (!closed) {
      last_words += "the file could not be ended and may be unreadable";
    } else {
      last_words += fmt::format("{}kept there: rounds {}, attempts {}",
                                whole ? "everything up to here is " : "",
                                sink.written(tables.rounds()), sink.written(tables.attempts()));
      if (!whole) {
        last_words +=
            fmt::format(" (of {} and {})", tables.rounds().rows(), tables.attempts().rows());
      }
    }
  }

  [[noreturn]] void give_up(const std::string& reason) {
    abandon(reason);
    throw RunError(last_words);
  }

  const RunInfo& info;
  SpaceReserve reserve;
  RunFile file;
  Hdf5Tables sink;
  ResultTables tables;
  Clock::time_point last_flush = Clock::now();
  bool open = true;
  bool whole = true;       // nothing that was recorded is lost
  std::string last_words;  // why it is not open
};

Hdf5Recorder::Hdf5Recorder(const fs::path& file, RunInfo run) : Recorder(std::move(run)) {
  // A limit of the file's size shall be an error to report, not the end of the process.
  if (std::signal(SIGXFSZ, SIG_IGN) != SIG_DFL) std::signal(SIGXFSZ, SIG_IGN);
  try {
    impl_ = std::make_unique<Impl>(file, info());
  } catch (const hdf5::Failure& failure) {
    throw RunError(fmt::format("{}.part: {}", file.string(), failure.what()));
  }
}

Hdf5Recorder::~Hdf5Recorder() {
  if (impl_->open) impl_->abandon("the run was not finished");
}

void Hdf5Recorder::flush() { impl_->flush(); }

void Hdf5Recorder::write(const AttemptRow& row) { impl_->add(row); }
void Hdf5Recorder::write(const TierRow& row) { impl_->add(row); }
void Hdf5Recorder::write(const DeviceRow& row) { impl_->add(row); }
void Hdf5Recorder::write(const MemoryRow& row) { impl_->add(row); }
void Hdf5Recorder::write(const LayerRow& row) { impl_->add(row); }
void Hdf5Recorder::write(const EvaluationRow& row) { impl_->add(row); }

void Hdf5Recorder::write(const RoundRow& row) {
  impl_->add(row);
  if (Clock::now() - impl_->last_flush > kFlushInterval) impl_->flush();
}

void Hdf5Recorder::write_model(std::span<const ModelSlice> slices, std::span<const float> values) {
  if (!impl_->open) throw RunError(impl_->last_words);
  try {
    impl_->file.put_model(slices, values);
  } catch (const hdf5::Failure& failure) {
    impl_->file.drop_model();
    impl_->give_up(failure.what() + std::string(" (the final model does not fit)"));
  }
  impl_->tables.set_model(slices, values);
}

std::string Hdf5Recorder::close(const RunEnd& end) {
  if (!impl_->open) return {};
  impl_->reserve.release();
  try {
    for (const Table* table : impl_->tables.tables()) impl_->sink.create(*table);
    impl_->tables.close();
    impl_->file.put_memory(impl_->tables.memory());
    std::string results = impl_->tables.results_sha256();
    impl_->sink.close();
    impl_->file.finish(end, results, impl_->tables.wall_times());
    impl_->open = false;
    return results;
  } catch (const hdf5::Failure& failure) {
    impl_->give_up(failure.what());
  }
}

}  // namespace skiff
