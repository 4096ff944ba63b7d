#pragma once

#include <liburing.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>

#include "loops/contract.hpp"

namespace loopbench {

/// A request in the kernel, as its completion finds back: the base of what `user_data` points to.
/// It stays where it is until its last completion (the one without `IORING_CQE_F_MORE`).
struct RingRequest {
    using Function = void (*)(RingRequest&, int result, unsigned flags) noexcept;
    explicit RingRequest(Function function) noexcept : on_completion(function) {}
    RingRequest(const RingRequest&) = delete;
    RingRequest& operator=(const RingRequest&) = delete;
    Function on_completion;
};

/// An io_uring, owned. Single-threaded: with the flags that it asks for, only the thread that made
/// it may enter it.
class Ring {
  public:
    /// Throws `std::system_error` when the kernel refuses. `entries` is the size of the submission
    /// queue; the completion queue is larger, since a multishot request completes many times. A
    /// ring that `may_defer` is a plain one all the same on kernels that cannot.
    Ring(unsigned entries, bool may_defer) {
        // Single issuer with deferred task work (Linux 6.1): completions are produced inside our
        // own enter, never by interrupting us. The task-run flag says when there are some to fetch.
        int error = EINVAL;
        if (may_defer) {
            error = set_up(entries, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                        IORING_SETUP_TASKRUN_FLAG);
        }
        deferred_ = error == 0;
        if (error == EINVAL) error = set_up(entries, 0);
        if (error != 0) throw std::system_error(error, std::system_category(), "io_uring_setup");
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring() { ::io_uring_queue_exit(&ring_); }

    io_uring* get() noexcept { return &ring_; }
    bool deferred() const noexcept { return deferred_; }
    unsigned features() const noexcept { return ring_.features; }

    /// A submission entry whose completions go to `request`, or nowhere when it is null.
    io_uring_sqe* prepare(RingRequest* request) noexcept {
        io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
        while (entry == nullptr) {  // full: hand over what is there
            ++submissions_;
            // Fetching events too makes room where the completion queue has run over, too.
            ::io_uring_submit_and_get_events(&ring_);
            entry = ::io_uring_get_sqe(&ring_);
        }
        // Preparing an entry leaves user_data alone in liburing 2.3 and later.
        ::io_uring_sqe_set_data(entry, request);
        return entry;
    }

    /// Counts the submissions: an entry prepared since the last one has not left yet.
    std::uint64_t submissions() const noexcept { return submissions_; }

    /// The one system call of a turn (more where many completions wait): submits, and waits for a
    /// completion at most `timeout` (nullopt: for ever). Without anything to submit, to wait for or
    /// to fetch it makes none.
    void enter(std::optional<Duration> timeout) noexcept {
        ++submissions_;
        if (timeout && timeout->count() == 0) {
            if (::io_uring_sq_ready(&ring_) > 0 || has_news() || !deferred_) {
                ::io_uring_submit_and_get_events(&ring_);
                fetch_the_rest();
            }
            return;
        }
        __kernel_timespec relative{};
        if (timeout) {
            relative.tv_sec = timeout->count() / 1'000'000'000;
            relative.tv_nsec = timeout->count() % 1'000'000'000;
        }
        io_uring_cqe* first = nullptr;
        // -ETIME and -EINTR: there may be nothing.
        ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, timeout ? &relative : nullptr,
                                           nullptr);
        fetch_the_rest();
    }

    /// Hands out the completions that are there now; what they lead to comes next time.
    template <class BeforeEach>
    void dispatch(BeforeEach&& before_each) {
        for (unsigned left = ::io_uring_cq_ready(&ring_); left > 0; --left) {
            io_uring_cqe* entry = nullptr;
            if (::io_uring_peek_cqe(&ring_, &entry) != 0) return;
            auto* request = static_cast<RingRequest*>(::io_uring_cqe_get_data(entry));
            const int result = entry->res;
            const unsigned flags = entry->flags;
            ::io_uring_cqe_seen(&ring_, entry);
            if (request == nullptr) continue;
            before_each();
            request->on_completion(*request, result, flags);
        }
    }

  private:
    /// Whether the kernel has deferred task work for us, or completions that found no room. It may
    /// say so with nothing left.
    bool has_news() const noexcept {
        return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) &
                (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
    }

    /// An enter that has slept runs as much deferred task work as it waited for, which is one
    /// completion, and one that has not runs 20 (Linux 6.13: io_cqring_wait,
    /// IO_LOCAL_TW_DEFAULT_MAX). What else has happened is fetched now, so that a turn serves all
    /// of it as with epoll.
    void fetch_the_rest() noexcept {
        if (!deferred_) return;
        unsigned before = 0;
        unsigned now = ::io_uring_cq_ready(&ring_);
        while (has_news() && now > before && now < ring_.cq.ring_entries / 2) {
            before = now;
            if (::io_uring_get_events(&ring_) < 0) return;
            now = ::io_uring_cq_ready(&ring_);
        }
    }

    int set_up(unsigned entries, unsigned flags) noexcept {
        io_uring_params parameters{};
        parameters.flags =
            flags | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        parameters.cq_entries = entries < 1024 ? entries * 4 : 4096;
        return -::io_uring_queue_init_params(entries, &ring_, &parameters);
    }

    io_uring ring_{};
    bool deferred_ = false;
    std::uint64_t submissions_ = 0;
};

}  // namespace loopbench
