#include "sim/cli/mpi/queue.h"

#include <fmt/format.h>

#include <boost/mpi/datatype.hpp>
#include <chrono>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "sim/cli/run_one.h"

namespace skiff::cli {
namespace {
namespace mpi = boost::mpi;
using Clock = std::chrono::steady_clock;

constexpr auto kGlance = std::chrono::milliseconds(10);
constexpr auto kBeat = std::chrono::seconds(1);  // a rank at work is heard of at least so often
constexpr int kNoMore = -1;

enum Tag { kOrder, kWord, kNews };  // kOrder: to a rank, the job or kNoMore; the others: to rank 0

enum class What : int { kIdle, kAlive, kEnded };
struct Word {
  What what = What::kIdle;
  int job = -1, code = 0;
};

// Plain structs travel as their bytes: all ranks are the same program.
template <class T>
void send(const mpi::communicator& world, int rank, Tag tag, const T& value) {
  world.send(rank, tag, reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T receive(const mpi::communicator& world, int rank, Tag tag) {
  T value;
  world.recv(rank, tag, reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

class Leader {
 public:
  Leader(const mpi::communicator& world, const Sweep& sweep, RunServer& server, SweepWatch& watch,
         std::size_t threads, double patience)
      : world_(world),
        server_(server),
        watch_(watch),
        threads_(threads),
        patience_(
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(patience))),
        waiting_(sweep.todo().begin(), sweep.todo().end()),
        others_(static_cast<std::size_t>(world.size())) {
    for (Other& other : others_) other.heard = Clock::now();
  }

  std::size_t lead() {
    while (!over()) {
      if (was_interrupted()) interrupt();
      work_here();
      listen();
      look_for_dead();
      watch_.tick();
      std::this_thread::sleep_for(kGlance);
    }
    return dead_;
  }

 private:
  struct Other {
    enum { kUnknown, kAtWork, kIdle, kGone, kDead } state = kUnknown;
    std::size_t job = 0;
    Clock::time_point heard;
  };

  bool over() const {
    if (!waiting_.empty() || server_.at_work() > 0) return false;
    for (std::size_t rank = 1; rank < others_.size(); ++rank) {
      if (others_[rank].state < Other::kGone) return false;
    }
    return true;
  }

  void interrupt() {  // the other ranks got the signal as well
    waiting_.clear();
    if (!told_) server_.interrupt();
    told_ = true;
  }

  void work_here() {
    for (const RunNews& news : server_.news()) watch_.news(news);
    for (const RunServer::Ended& end : server_.ended()) watch_.ended(end);
    if (waiting_.empty() || server_.at_work() > 0) return;
    server_.start(waiting_.front(), threads_);
    watch_.started(waiting_.front(), world_.size() > 1 ? "rank 0" : "");
    waiting_.pop_front();
  }

  void listen() {
    while (const auto found = world_.iprobe(mpi::any_source, kNews)) {
      const RunNews news = receive<RunNews>(world_, found->source(), kNews);
      if (hears(found->source())) watch_.news(news);
    }
    while (const auto found = world_.iprobe(mpi::any_source, kWord)) {
      const Word word = receive<Word>(world_, found->source(), kWord);
      if (hears(found->source())) obey(found->source(), word);
    }
    for (std::size_t rank = 1; rank < others_.size(); ++rank) {
      if (others_[rank].state == Other::kIdle) give(static_cast<int>(rank));
    }
  }

  // Whom rank 0 has given up stays so: its run is another's by now.
  bool hears(int rank) {
    Other& other = others_[static_cast<std::size_t>(rank)];
    other.heard = Clock::now();
    return other.state != Other::kDead;
  }

  void obey(int rank, const Word& word) {
    Other& other = others_[static_cast<std::size_t>(rank)];
    if (word.what == What::kAlive) return;
    if (word.what == What::kEnded) watch_.ended({static_cast<std::size_t>(word.job), word.code});
    other.state = Other::kIdle;
  }

  // A rank without work waits as long as a run that another does may come back.
  void give(int rank) {
    Other& other = others_[static_cast<std::size_t>(rank)];
    if (waiting_.empty()) {
      if (somebody_works()) return;
      send(world_, rank, kOrder, kNoMore);
      other.state = Other::kGone;
      return;
    }
    other.job = waiting_.front();
    waiting_.pop_front();
    send(world_, rank, kOrder, static_cast<int>(other.job));
    other.state = Other::kAtWork;
    watch_.started(other.job, fmt::format("rank {}", rank));
  }

  bool somebody_works() const {
    for (const Other& other : others_) {
      if (other.state == Other::kAtWork) return true;
    }
    return server_.at_work() > 0;
  }

  void look_for_dead() {
    for (std::size_t rank = 1; rank < others_.size(); ++rank) {
      Other& other = others_[rank];
      if (other.state >= Other::kGone || Clock::now() - other.heard < patience_) continue;
      if (other.state == Other::kAtWork) {
        watch_.lost(other.job, fmt::format("rank {} has died or says nothing", rank));
        if (!was_interrupted()) waiting_.push_back(other.job);
      }
      other.state = Other::kDead;
      ++dead_;
    }
  }

  const mpi::communicator& world_;
  RunServer& server_;
  SweepWatch& watch_;
  std::size_t threads_;
  Clock::duration patience_;
  std::deque<std::size_t> waiting_;
  std::vector<Other> others_;  // by rank; [0] is unused
  std::size_t dead_ = 0;
  bool told_ = false;
};

// One run of a follower, with all that it says on the way.
Word follow_run(const mpi::communicator& world, RunServer& server, int job, std::size_t threads) {
  server.start(static_cast<std::size_t>(job), threads);
  auto beat = Clock::now();
  for (bool told = false;;) {
    if (was_interrupted() && !told) {
      server.interrupt();
      told = true;
    }
    for (const RunNews& news : server.news()) send(world, 0, kNews, news);
    for (const RunServer::Ended& end : server.ended()) {
      for (const RunNews& news : server.news()) send(world, 0, kNews, news);
      return {What::kEnded, static_cast<int>(end.job), end.code};
    }
    if (Clock::now() - beat > kBeat) {
      send(world, 0, kWord, Word{What::kAlive});
      beat = Clock::now();
    }
    std::this_thread::sleep_for(kGlance);
  }
}

int wait_for_order(const mpi::communicator& world) {
  auto beat = Clock::now();
  while (!world.iprobe(0, kOrder)) {
    if (Clock::now() - beat > kBeat) {
      send(world, 0, kWord, Word{What::kAlive});
      beat = Clock::now();
    }
    std::this_thread::sleep_for(kGlance);
  }
  return receive<int>(world, 0, kOrder);
}

}  // namespace

std::size_t lead_queue(const mpi::communicator& world, const Sweep& sweep, RunServer& server,
                       SweepWatch& watch, std::size_t threads, double patience) {
  return Leader(world, sweep, server, watch, threads, patience).lead();
}

void follow_queue(const mpi::communicator& world, RunServer& server, std::size_t threads) {
  for (Word word{What::kIdle};;) {
    send(world, 0, kWord, word);
    const int job = wait_for_order(world);
    if (job == kNoMore) return;
    word = follow_run(world, server, job, threads);
  }
}

}  // namespace skiff::cli
