#include "sim/cli/process_pool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <span>
#include <thread>

#include "sim/cli/run_one.h"
#include "sim/core/error.h"

namespace skiff::cli {
namespace {

// What the children say of themselves, in memory that they share with the parent.
class Board {
 public:
  explicit Board(std::size_t count)
      : bytes_(count * sizeof(Cell)),
        memory_(
            ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw RunError("no memory to share with the runs of a sweep");
    cells_ = {static_cast<Cell*>(memory_), count};
    for (Cell& cell : cells_) new (&cell) Cell(0);
  }
  ~Board() { ::munmap(memory_, bytes_); }
  Board(const Board&) = delete;
  Board& operator=(const Board&) = delete;

  void set(std::size_t i, double fraction) { cells_[i] = fraction; }
  double mean() const {
    double sum = 0;
    for (const Cell& cell : cells_) sum += cell;
    return sum / static_cast<double>(cells_.size());
  }

 private:
  using Cell = std::atomic<double>;
  std::size_t bytes_;
  void* memory_;
  std::span<Cell> cells_;
};

[[noreturn]] void be_child(const PoolJobs& jobs, std::size_t i, Board& board) {
  std::signal(SIGINT, SIG_IGN);        // Ctrl-C reaches the whole group; the parent passes it on
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a sweep that is killed leaves nobody writing
  const int log = ::open(jobs.log_file(i).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
  }
  const int code = jobs.work(i, [&](double fraction) { board.set(i, fraction); });
  std::fflush(nullptr);
  ::_exit(code);
}

class Pool {
 public:
  explicit Pool(const PoolJobs& jobs) : jobs_(jobs), board_(jobs.count) {}

  void run(std::size_t at_once) {
    while ((next_ < jobs_.count && !was_interrupted()) || !children_.empty()) {
      while (next_ < jobs_.count && children_.size() < at_once && !was_interrupted())
        start(next_++);
      if (was_interrupted() && !told_) tell_to_end();
      if (!collect()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      jobs_.progress(board_.mean());
    }
  }

 private:
  void start(std::size_t i) {
    std::fflush(nullptr);  // or the child would print it again
    const pid_t child = ::fork();
    if (child < 0) throw RunError(std::string("cannot start a process: ") + std::strerror(errno));
    if (child == 0) be_child(jobs_, i, board_);
    children_[child] = i;
  }

  void tell_to_end() {
    for (const auto& [child, i] : children_) ::kill(child, SIGTERM);
    told_ = true;
  }

  bool collect() {
    int status = 0;
    const pid_t child = ::waitpid(-1, &status, WNOHANG);
    const auto found = child > 0 ? children_.find(child) : children_.end();
    if (found == children_.end()) return false;
    const std::size_t i = found->second;
    children_.erase(found);
    board_.set(i, 1);
    jobs_.ended(i, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return true;
  }

  const PoolJobs& jobs_;
  Board board_;
  std::map<pid_t, std::size_t> children_;
  std::size_t next_ = 0;
  bool told_ = false;
};

}  // namespace

void run_pool(const PoolJobs& jobs, std::size_t at_once) {
  if (jobs.count > 0) Pool(jobs).run(at_once);
}

}  // namespace skiff::cli
