#pragma once

// The scheduling contract: the page to read before bringing a loop. Each numbered sentence is a
// test in tests/conformance/, which runs over every loop.
//
// Shape. A loop is a class that satisfies `EventLoop`; it belongs to the thread that runs it. All
// its parts (timers, streams, …) are objects of the caller, bound to the loop at construction,
// destroyed before it. Operations are objects of the caller, too (operation.hpp): the loop keeps
// what it needs inside them, so that nothing is allocated per operation. Above this, task.hpp and
// awaitables.hpp give coroutines over any loop.
//
//  1. A completion never runs inside the call that started it. An operation that can end at once
//  says
//     so by returning `Start::done`, with its result set and its function never called; at most
//     `poll_interval` of them follow each other inside one callback, then the loop goes the long
//     way, so that nobody starves. Callbacks never throw. A task's unobserved failure reaches the
//     loop's error handler (a cancelled task is no failure).
//  2. `post` is first in, first out. A pass runs the ready queue as it stood when the pass began:
//     what is posted during a pass runs in the next.
//  3. A turn reaches from one poll of the kernel to the next. I/O and timers are polled whenever
//  the
//     ready queue is empty, and otherwise at the first end of a pass after at least `poll_interval`
//     callbacks: an operation that posts itself for ever starves nobody. Callbacks of I/O and
//     timers run directly from the poll, before the passes of that turn.
//  4. A timer never fires before its deadline on the steady clock. `start_after` counts from
//  `now()`,
//     which is read once per poll. A cancelled timer does not fire, even when cancelled in the turn
//     in which it is due. Deadlines round up to `timer_resolution`; after rounding, the earlier
//     runs first; equal ones run in the order started where `equal_deadlines_in_order` says so. A
//     timer started in a turn fires in a later turn, however short it is. Starting a pending timer
//     moves it.
//  5. Scheduling is cooperative: nothing else runs until the running callback returns or awaits.
//  6. Cancelling a task is requested at once. A wait inside the loop (timer, event, yield, another
//     task) ends on the next turn, an I/O operation when the kernel has given the buffer back;
//     once. A result already obtained wins, and the cancel strikes at the next await. A finished
//     task ignores it. An outer cancel beats a timeout of the same turn.
//  7. A cancelled operation completes exactly once, and its outcome says whether the cancel or the
//     result came first: no byte is lost. Cancelling what has completed is harmless.
//  8. `write` keeps order and loses nothing across partial sends. End of file, half-close and reset
//     are told apart. `close` completes what is in flight (as cancelled) before it completes
//     itself, and only then is the memory free. Destroying an open stream closes it at once; no
//     operation may be in flight then.
//  9. `Wakeup::notify` and `post_threadsafe` may be called from any thread, before the loop waits,
//     while it waits and after it stopped: never lost. Notifications may coalesce; posts do not.
// 10. `stop` lets the current pass (and the dispatch of what the last poll brought) finish, then
// `run`
//     returns; a loop can be run again, and nothing queued is lost. A stop before `run` makes it
//     return after one turn that does not wait.
// 11. Descriptors, memory and threads are all returned by the destructor. It first cancels the
// tasks
//     that are still there and runs the loop until they have ended; from then on every await ends
//     cancelled, and a task that awaits for ever all the same is a programming error.

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>

#include "loops/description.hpp"
#include "loops/endpoint.hpp"
#include "loops/operation.hpp"
#include "loops/protocol.hpp"
#include "loops/result.hpp"
#include "loops/task_list.hpp"

namespace loopbench {

/// How a call that starts an operation came out.
enum class Start : bool {
    pending,  ///< `function` will be called, once, later
    done,     ///< ended at once: `result` is set, `function` will not be called
};

/// What a `Readiness` watch looks for, and what it found.
enum class Interest : unsigned char { none = 0, readable = 1, writable = 2, both = 3 };

constexpr Interest operator|(Interest a, Interest b) noexcept {
    return static_cast<Interest>(static_cast<unsigned char>(a) | static_cast<unsigned char>(b));
}
constexpr Interest operator&(Interest a, Interest b) noexcept {
    return static_cast<Interest>(static_cast<unsigned char>(a) & static_cast<unsigned char>(b));
}
constexpr bool any(Interest interest) noexcept {
    return interest != Interest::none;
}

/// An operation with a result. Loops derive their own from it and add what their kernel interface
/// needs; `result` is valid from its completion on.
template <class T>
struct ResultOperation : Operation {
    using Operation::Operation;
    Result<T> result = Failure::cancelled();
};

/// `Timer(loop, function)`. Destroying a pending timer cancels it.
template <class T, class Loop>
concept LoopTimer = requires(T timer, Loop& loop, void (*function)(T&) noexcept, Duration delay,
                             TimePoint deadline) {
    T(loop, function);
    timer.start_after(delay);  // a negative delay is a zero one
    timer.start_at(deadline);  // may be in the past; TimePoint::max() never fires
    timer.cancel();            // harmless when not pending
    { timer.pending() } -> std::same_as<bool>;
};

/// `Wakeup(loop, function)`. `notify` is safe from any thread, and until the wake-up is destroyed,
/// which happens on the loop's thread.
template <class W, class Loop>
concept LoopWakeup = requires(W wakeup, Loop& loop, void (*function)(W&) noexcept) {
    W(loop, function);
    { wakeup.notify() }
    noexcept;
};

/// `Readiness(loop, descriptor, function)` watches a descriptor of the caller (which stays open and
/// non-blocking meanwhile), level-triggered: `function` is called at most once a turn for as long
/// as the descriptor is ready. An error or hang-up counts as ready for whatever is watched. One
/// watch a descriptor.
template <class R, class Loop>
concept LoopReadiness = requires(R watch, Loop& loop, int descriptor,
                                 void (*function)(R&, Interest) noexcept) {
    R(loop, descriptor, function);
    { watch.start(Interest::readable) } -> std::same_as<Result<>>;  // replaces the interest
    watch.stop();  // harmless when not started; not called again, even in this turn
};

/// A connected byte stream over TCP or a Unix socket, with two faces. One of them is used at a time
/// for reading; at most one read and one `write_all` are in flight.
///
/// Push: `start_reading(protocol)` until `stop_reading()`, after which the protocol hears no more
/// of bytes but still of pauses, until `close` or a `read_some`; `write` tries to send now and
/// copies what the kernel does not take. Pull: `read_some` into the caller's buffer (0 bytes at end
/// of file; a buffer of at least one byte) and `write_all` from the caller's, which is not copied
/// and stays valid until completion. `write_all` goes behind what `write` has queued; no `write`
/// during it.
///
/// The operations' types belong to the loop: `Loop::ReadOperation` etc., each a `ResultOperation`
/// made from a function. `cancel(operation)` asks for the end of one that is in flight on this
/// stream.
template <class S, class Loop>
concept LoopStream = requires(S stream, const S& constant, Loop& loop, Protocol& protocol,
                              std::span<const std::byte> bytes, std::span<std::byte> buffer,
                              typename Loop::ReadOperation& read,
                              typename Loop::WriteOperation& write,
                              typename Loop::ConnectOperation& connect,
                              typename Loop::ShutdownOperation& shutdown,
                              typename Loop::CloseOperation& close, const Endpoint& endpoint,
                              const SocketOptions& options) {
    S(loop);  // not connected: for `accept` or `connect`
    { constant.loop() } -> std::same_as<Loop&>;
    { constant.open() } -> std::same_as<bool>;  // connected, and `close` not called

    { stream.connect(connect, endpoint, options) } -> std::same_as<Start>;

    stream.start_reading(protocol);
    stream.stop_reading();
    stream.write(bytes);  // dropped silently once the connection is lost
    { constant.queued_bytes() } -> std::same_as<std::size_t>;

    { stream.read_some(read, buffer) } -> std::same_as<Start>;  // result: bytes read
    { stream.write_all(write, bytes) } -> std::same_as<Start>;  // result: bytes.size()

    // Half-close: sends what is queued, then a FIN; completes when the kernel has taken both.
    { stream.shutdown_write(shutdown) } -> std::same_as<Start>;
    // Stops reading, drops what is queued, completes what is in flight as cancelled, frees the
    // descriptor. Always completes later, successfully; allowed on a stream that never opened. The
    // stream may be destroyed, or connected anew, from inside the completion.
    stream.close(close);

    stream.cancel(read);
    stream.cancel(write);
    stream.cancel(connect);
    stream.cancel(shutdown);
};

/// A listening socket. `accept` puts the next connection into a stream that is not open; at most
/// one is in flight. A shortage (EMFILE, ENFILE, ENOBUFS, ENOMEM) is no completion: the listener
/// tries again after a while without a busy loop (a loop whose library drops such connections says
/// so in its notes). A connection that the peer has already reset is passed over.
template <class A, class Loop>
concept LoopListener = requires(A listener, const A& constant, Loop& loop, const Endpoint& endpoint,
                                const ListenOptions& options, typename Loop::Stream& stream,
                                typename Loop::AcceptOperation& accept,
                                typename Loop::CloseOperation& close) {
    A(loop);
    { listener.listen(endpoint, options) } -> std::same_as<Result<>>;  // errors: bind's, listen's
    { constant.local_endpoint() } -> std::same_as<Endpoint>;           // the port that was chosen
    { listener.accept(accept, stream) } -> std::same_as<Start>;
    listener.cancel(accept);
    listener.close(close);  // as with streams; the path of a Unix socket is left to the caller
};

/// An event loop. Made with its options; `std::system_error` when the system refuses.
template <class L>
concept EventLoop = std::constructible_from<L, const LoopOptions&> && !std::movable<L> &&
                    LoopTimer<typename L::Timer, L> && LoopWakeup<typename L::Wakeup, L> &&
                    LoopReadiness<typename L::Readiness, L> && LoopStream<typename L::Stream, L> &&
                    LoopListener<typename L::Listener, L> &&
                    std::derived_from<typename L::ReadOperation, ResultOperation<std::size_t>> &&
                    std::derived_from<typename L::WriteOperation, ResultOperation<std::size_t>> &&
                    std::derived_from<typename L::ConnectOperation, ResultOperation<void>> &&
                    std::derived_from<typename L::AcceptOperation, ResultOperation<void>> &&
                    std::derived_from<typename L::ShutdownOperation, ResultOperation<void>> &&
                    std::derived_from<typename L::CloseOperation, ResultOperation<void>> &&
                    requires(L loop, const L& constant, Operation& operation) {
    // Can it work here? Found out by doing it; never throws.
    { L::availability() } -> std::same_as<Availability>;
    { L::describe() } -> std::same_as<LoopDescription>;

    { constant.now() } -> std::same_as<TimePoint>;  // asyncio's loop.time()
    loop.post(operation);                           // asyncio's call_soon
    { loop.post_threadsafe(operation) }
    noexcept;    // asyncio's call_soon_threadsafe
    loop.run();  // until stop
    loop.stop();
    { constant.counters() } -> std::same_as<LoopCounters>;
    { loop.tasks() } -> std::same_as<TaskList&>;  // where spawned tasks are kept
};

}  // namespace loopbench
