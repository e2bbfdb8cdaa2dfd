# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The situations, each beside its healthy twin, and what is to be said of them."""

from bench import Case
from harness import at

PARALLEL = 0.05  # how far two measurements of the same time may be apart


# --- figures: gilwatch's, the program's own, and how much they may be off --------------------------


def running(seen):
    """Time on a CPU."""
    return seen.process["where"]["running_s"], seen.own_cpu_s(), PARALLEL


def cpus(seen):
    """CPUs used on average."""
    gilwatch = seen.process["parallelism"]["native"] + (seen.process["parallelism"]["python"] or 0)
    return gilwatch, seen.own_cpu_s() / seen.elapsed_s, PARALLEL


def waste(seen):
    """Seconds in which threads wanted to compute and could not: their wall less their CPU time."""
    wasted = seen.process["states"]["gil_wait_s"] + seen.process["where"]["runnable_s"]
    workers = seen.threads("worker")
    overlap = sum(t["states"]["gil_wait_s"] - t["where"]["gil_s"] for t in workers)
    own = len(workers) * seen.elapsed_s - seen.own_cpu_s()
    return wasted - max(0, overlap), own, PARALLEL


def lost(seen):
    """Seconds that threads which want to compute spent without, for whatever reason."""
    workers = seen.threads("worker")
    states = ("gil_wait_s", "held_off_s", "runqueue_s", "lock_s")
    gilwatch = sum(thread["states"][state] for thread in workers for state in states)
    return gilwatch, len(workers) * seen.elapsed_s - seen.own_cpu_s(), PARALLEL


def turns(seen):
    """Mean time from one passing of the GIL to the next: a hold."""
    passed = [t for t in seen.truth["passed"]["gil"] if seen.start_ns <= t <= seen.end_ns]
    own = (passed[-1] - passed[0]) / 1e9 / max(1, len(passed) - 1)
    changes = seen.process["gils"][0]["holder_changes"]
    return seen.elapsed_s / max(1, changes), own, PARALLEL


def turns_after(seen):
    """The same after the interval was changed."""
    changed = seen.truth["changed"]["at"][0] + 300000000  # when the looks have seen it
    passed = [t for t in seen.truth["passed"]["gil"] if changed <= t <= seen.end_ns]
    own = (passed[-1] - passed[0]) / 1e9 / max(1, len(passed) - 1)
    if len(seen.process["switch_intervals"]) != 2:
        return None, own, PARALLEL
    after = seen.process["switch_intervals"][1]
    return (after["to_s"] - after["from_s"]) / max(1, after["holder_changes"]), own, PARALLEL


def saved(seen):
    """What overlapping saved: the waits' sum less the time with any of them. For the program a wait
    ends when it has a CPU and the GIL again; of one of the threads that saves nothing.
    """
    waits = [pair for log in seen.truth["waits"].values() for pair in seen.inside(log)]
    own = sum(end - begin for begin, end in waits) - union_ns(waits)
    resume, blocked = seen.process["resume"], seen.evidence("io_bound").get("overlap_saved_s")
    if blocked is None:
        return None, own / 1e9, PARALLEL
    late = resume["runqueue_s"] + resume["gil_s"]
    return blocked + late * (1 - 1 / len(seen.truth["waits"])), own / 1e9, PARALLEL


def union_ns(intervals):
    covered, until = 0, 0
    for begin, end in sorted(intervals):
        covered += max(0, end - max(begin, until))
        until = max(until, end)
    return covered


def lock_waits(seen):
    own = sum(seen.inside_s(log) for log in seen.truth["waits"].values())
    return seen.evidence("lock_bound").get("lock_s"), own, PARALLEL


def waiting(seen):
    """Time in calls that wait for a lock, an event, a queue; they end with a CPU and the GIL."""
    states = ("lock_s", "runqueue_s", "gil_wait_s")
    waits = seen.truth["waits"]
    gilwatch = sum(seen.thread(name)["states"][state] for name in waits for state in states)
    return gilwatch, sum(seen.inside_s(log) for log in waits.values()), PARALLEL


def stuck(seen):
    """How long the call has lasted, as far as it was watched."""
    own = (seen.end_ns - max(seen.start_ns, seen.truth["stuck"])) / 1e9
    return seen.evidence("gil_stuck").get("hold_age_s"), own, PARALLEL


def asleep(seen):
    """Time in a call that sleeps without the GIL; it ends with a CPU and the GIL."""
    calls = seen.truth["calls"]
    states = ("sleep_s", "runqueue_s", "gil_wait_s")
    gilwatch = sum(seen.thread(name)["states"][state] for name in calls for state in states)
    return gilwatch, sum(seen.inside_s(log) for log in calls.values()), PARALLEL


def workers_cpu(seen):
    """CPUs that the workers of a pool used, from the verdict."""
    own = 0
    for log in seen.truth["workers"].values():
        inside = [entry for entry in log if seen.start_ns <= entry[0] <= seen.end_ns]
        own += (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])
    return seen.evidence("process_parallel").get("used_cpus"), own, 0.1


def processes_running(seen):
    """CPU time of workers that began in the window."""
    own = sum(at(log, seen.end_ns) for log in seen.truth["workers"].values()) / 1e9
    return sum(p["where"]["running_s"] for p in seen.workers()), own, PARALLEL


def processes_asleep(seen):
    """Time that workers slept, until each had a CPU and its GIL again."""
    logs = seen.truth["workers"].values()
    own = sum(at(log, seen.end_ns, 2) - at(log, seen.start_ns, 2) for log in logs) / 1e9
    states = ("sleep_s", "runqueue_s", "gil_wait_s")
    return sum(p["states"][state] for p in seen.workers() for state in states), own, PARALLEL


def held_writing(seen):
    """Time off the CPU in calls that keep the GIL: blocked, or ready and without one."""
    own = seen.in_window(seen.truth["off_cpu"]["caller"]) / 1e9
    return seen.thread("caller")["states"]["held_off_s"], own, PARALLEL


def held_blocked(seen):
    """A call's end is seen only once its thread has the GIL again: each takes 20 ms and a little."""
    own = seen.inside_s([begin, begin + 20080000] for begin, _ in seen.truth["calls"]["caller"])
    return seen.evidence("gil_held_blocked").get("held_blocked_s"), own, PARALLEL


def longest_call(seen):
    """The longest hold can be cut by the window, and a call's end is seen only with the GIL."""
    return seen.evidence("long_holds").get("longest_hold_s"), 0.3, PARALLEL


def beat(seen):
    """Mean time that a sleep of 1 ms took."""
    whole = seen.whole(seen.truth["waits"]["heartbeat"])
    own = sum(end - begin for begin, end in whole) / 1e9 / max(1, len(whole))
    ratio = seen.thread("heartbeat")["resume"]["delay_ratio"]
    hogs = "3" in seen.case.args
    return ratio * 0.001 if ratio else None, own, 0.1 if hogs else PARALLEL


def stretch(seen):
    """The longest run of an event loop's handler."""
    own = max(cpu for at, cpu in seen.truth["runs"]["handler"]) / 1e9
    return seen.evidence("event_loop_stalled").get("stretch_longest_s"), own, PARALLEL


# --- the cases -------------------------------------------------------------------------------------

THREADS, INTERVAL = "situations/threads", "situations/interval"
GIL = ("gil*", "long_holds")

CASES = [
    # 1. what the GIL protects
    Case("1 one thread", THREADS, "--threads", 1, verdicts=["cpu_single"], never=GIL, figure=running),
    Case("1 two threads", THREADS, verdicts=["gil_bound!"], only=True, figure=running),
    Case("1 four threads", THREADS, "--threads", 4, verdicts=["gil_bound!"], only=True, figure=running, ci=False),
    # 2. the switch interval
    Case(
        *("2 interval 1 ms", INTERVAL, "--seconds", 0.001),
        ci=False,
        verdicts=["gil_bound!", "switch_interval"],
        figure=turns,
    ),
    Case("2 interval 5 ms", INTERVAL, verdicts=["gil_bound!"], never=["switch_interval"], figure=turns),
    Case(
        *("2 interval 50 ms beside I/O", INTERVAL, "--seconds", 0.05, "--heartbeats", 1),
        verdicts=["gil_bound!", "gil_latency!", "switch_interval"],
        seconds=4,
        figure=turns,
    ),
    Case(
        *("2 interval changed", INTERVAL, "--then", 0.02),
        verdicts=["gil_bound!", "switch_interval"],
        says=["was changed while watched"],
        seconds=4,
        line_after_s=1.5,
        figure=turns_after,
    ),
    # 3. counter += 1
    Case(
        *("3 counter, four threads", "situations/counter"),
        ci=False,
        verdicts=["gil_bound!"],
        only=True,
        figure=running,
    ),
    Case(
        *("3 counter, one thread", "situations/counter", "--threads", 1),
        ci=False,
        verdicts=["cpu_single"],
        never=GIL,
        figure=running,
    ),
    # 4. I/O
    Case(
        *("4 sleeps in threads", "situations/waits"),
        verdicts=["io_bound"],
        only=True,
        figure=saved,
        ci=False,
    ),
    Case(
        *("4 sockets in threads", "situations/waits", "--how", "socket"),
        needs=["port"],
        verdicts=["io_bound"],
        only=True,
        figure=saved,
    ),
    Case(
        *("4 sockets, one by one", "situations/waits", "--how", "socket", "--threads", 1),
        needs=["port"],
        verdicts=["io_bound"],
        only=True,
        says=["one after the other"],
        figure=saved,
    ),
    Case(
        *("4 files in threads", "situations/waits", "--how", "file"),
        ci=False,
        needs=["directory"],
        verdicts=["io_bound"],
        only=True,
        figure=saved,
    ),
    # 5. CPU work
    Case("5 sequential", THREADS, "--threads", 1, verdicts=["cpu_single"], never=GIL, figure=running, ci=False),
    Case("5 threads", THREADS, verdicts=["gil_bound!"], figure=waste, ci=False),
    Case(
        *("5 process pool", "situations/pool"),
        ci=False,
        verdicts=["idle"],
        only=True,
        family=["process_parallel"],
        seconds=3,
        figure=workers_cpu,
    ),
    Case(
        *("5 process pool, seen from its start", "situations/pool", "--late", 1),
        never=["lock_bound", *GIL],
        family=["process_parallel"],
        says=["from the fork to the first Python"],
        seconds=4,
        line_after_s=0,
        figure=processes_running,
    ),
    # 6. locks
    Case(
        *("6 50 threads, a locked counter", "situations/locks", "--threads", 50),
        verdicts=["gil_bound!"],
        never=["cpu_starved"],
        seconds=3,
        figure=lost,
        since=(3, 10),
    ),
    # Up to 3.9 they queue for the lock; where it wakes its waiters fast enough, it and the GIL change
    # hands at every turn, and then the GIL is free for a third of the time.
    Case(
        *("6 50 threads, a lock, 3.8 and 3.9", "situations/locks", "--threads", 50),
        ci=False,
        verdicts=["lock_bound"],
        never=["cpu_starved"],
        seconds=3,
        figure=lost,
        until=(3, 9),
    ),
    Case(
        *("6 lock across a sleep", "situations/locks", "--how", "sleep"),
        verdicts=["lock_bound"],
        only=True,
        figure=lock_waits,
    ),
    Case(
        *("6 idle workers", "situations/locks", "--how", "queue", "--threads", 20),
        verdicts=["idle"],
        only=True,
        figure=waiting,
    ),
    Case(
        *("6 a lock a thread", "situations/locks", "--how", "own"),
        ci=False,
        verdicts=["gil_bound!"],
        never=["lock_bound"],
        figure=running,
    ),
    Case(
        *("6 RLock entered twice", "situations/locks", "--how", "rlock"),
        ci=False,
        never=["cpu_starved"],
        figure=lost,
    ),
    Case(
        *("6 condition", "situations/locks", "--how", "condition"),
        ci=False,
        never=["gil*"],
        figure=waiting,
    ),
    # 7. native code
    Case("7 sqlite3 in threads", "situations/natives", "--how", "sqlite", never=GIL, figure=cpus),
    Case(
        *("7 numpy sums in threads", "situations/natives", "--how", "numpy"),
        ci=False,
        needs=["numpy"],
        verdicts=["native_parallel"],
        never=GIL,
        figure=cpus,
    ),
    Case("7 pure Python sums", THREADS, verdicts=["gil_bound!"], never=["native_parallel"], figure=cpus, ci=False),
    # 8. executors
    Case("8 threads, I/O", "situations/executor", verdicts=["io_bound"], only=True, figure=saved),
    Case(
        *("8 600 threads, I/O", "situations/executor", "--threads", 600),
        verdicts=["io_bound"],
        says=["With so many at once"],
        only=True,
        figure=saved,
    ),
    Case(
        *("8 threads, CPU", "situations/executor", "--work", "cpu"),
        ci=False,
        verdicts=["gil_bound!"],
        says=["splitting this work over processes"],
        figure=running,
    ),
    Case(
        *("8 threads, big hashes", "situations/executor", "--work", "hash", "--threads", 2),
        verdicts=["native_parallel"],
        says=["threads are right here"],
        never=GIL,
        figure=running,
    ),
    Case(
        *("8 threads, small hashes", "situations/natives", "--how", "small"),
        ci=False,
        verdicts=["gil_bound!"],
        figure=running,
    ),
    Case(
        *("8 processes, I/O", "situations/pool", "--how", "executor", "--work", "io"),
        family=["io_bound"],
        says=["threads of one process"],
        never=GIL,
        figure=processes_asleep,
    ),
    Case(
        *("8 processes, CPU", "situations/pool", "--how", "executor"),
        ci=False,
        family=["process_parallel"],
        never=[*GIL, "lock_bound"],
        seconds=3,
        figure=workers_cpu,
    ),
    # 9. ctypes
    Case(
        *("9 CDLL usleep", "situations/calls", "--how", "cdll-sleep"),
        ci=False,
        never=GIL,
        figure=asleep,
    ),
    Case(
        *("9 CDLL usleep in threads", "situations/calls", "--how", "cdll-sleep", "--callers", 4),
        verdicts=["io_bound"],
        only=True,
        says=["Overlapping the waits saved"],
        figure=asleep,
    ),
    Case(
        *("9 CDLL loop", "situations/natives", "--how", "cdll"),
        ci=False,
        needs=["library"],
        verdicts=["native_parallel"],
        never=GIL,
        figure=running,
    ),
    Case(
        *("9 PyDLL usleep beside spinners", "situations/calls", "--how", "pydll-sleep", "--spinners", 2),
        verdicts=["gil_held_blocked!"],
        says=["mostly in sleep"],
        seconds=3,
        figure=held_blocked,
    ),
    Case(
        *("9 PyDLL loop beside a thread", "situations/calls", "--how", "pydll-spin", "--spinners", 1),
        needs=["library"],
        verdicts=["long_holds!"],
        seconds=3,
        engines=("uprobe",),
        figure=longest_call,
    ),
    Case(
        *("9 PyDLL loop alone", "situations/calls", "--how", "pydll-spin", "--rest", 0.05),
        ci=False,
        needs=["library"],
        verdicts=["long_holds"],
        never=["gil*"],
        says=["nobody lost by it"],
        seconds=3,
        engines=("uprobe",),
        figure=longest_call,
    ),
    Case(
        *("9 callback deadlock", "situations/calls", "--how", "deadlock", "--spinners", 1),
        needs=["library"],
        verdicts=["gil_stuck!"],
        seconds=7,
        kill=True,
        figure=stuck,
    ),
    # 10. a heartbeat
    Case("10 heartbeat alone", "situations/heartbeat", verdicts=["healthy"], never=GIL, figure=beat),
    Case(
        *("10 heartbeat, one hog", "situations/heartbeat", "--hogs", 1),
        verdicts=["gil_latency!"],
        never=["gil_bound"],
        figure=beat,
    ),
    Case(
        *("10 heartbeat, three hogs", "situations/heartbeat", "--hogs", 3),
        verdicts=["gil_bound!", "gil_latency!"],
        figure=beat,
    ),
    # 11. free-threaded builds
    Case(
        *("11 without the GIL", THREADS),
        python="3.13t",
        engines=("sched",),
        verdicts=["free_threaded"],
        never=GIL,
        says=["slower"],
        figure=cpus,
    ),
    Case(
        *("11 without the GIL, a locked counter", "situations/locks", "--threads", 8),
        python="3.13t",
        engines=("sched",),
        verdicts=["free_threaded"],
        never=GIL,
        says=["What contends instead: locks"],
        figure=running,
    ),
    Case(
        *("11 the GIL on by option", THREADS),
        ci=False,
        python="3.13t-gil",
        verdicts=["gil_bound!"],
        never=["free_threaded", "gil_reenabled"],
        figure=running,
    ),
    Case(
        *("11 the GIL on by an import", "unready"),
        needs=["unready"],
        python="3.13t",
        verdicts=["gil_reenabled"],
        never=["free_threaded"],
        says=["switched its GIL on"],
        seconds=4,
        line_after_s=0.5,
    ),
    # the mixed cases
    Case(
        *("asyncio, a handler that computes", "situations/loop"),
        verdicts=["event_loop_stalled"],
        never=["gil*", "io_bound"],
        seconds=3,
        figure=stretch,
    ),
    Case(
        *("asyncio, short handlers", "situations/loop", "--busy", 10),
        never=["event_loop_stalled", "gil*"],
    ),
    Case(
        *("GIL kept across a disk write", "situations/calls", "--how", "pydll-write", "--spinners", 1),
        needs=["library", "directory"],
        verdicts=["gil_held_blocked"],
        says=["disk I/O"],
        seconds=3,
        figure=held_writing,
    ),
    Case(
        *("logging to a slow disk", "situations/slow_log"),
        needs=["directory"],
        verdicts=["lock_bound"],
        never=["gil*"],
        seconds=3,
        figure=waiting,
    ),
    Case(
        *("quota, one thread", THREADS, "--threads", 1),
        ci=False,
        quota=0.5,
        verdicts=["cpu_starved!"],
        only=True,
        says=["quota"],
        seconds=3,
        figure=running,
    ),
    Case(
        *("quota, two threads", THREADS),
        quota=0.5,
        verdicts=["cpu_starved!", "gil_bound"],
        only=True,
        seconds=3,
        figure=running,
    ),
    Case(
        *("500,000 GIL cycles a second", "situations/natives", "--how", "pipe", "--threads", 1),
        verdicts=["cpu_single"],
        only=True,
        figure=running,
    ),
    Case(
        *("four processes on two CPUs", THREADS, "--threads", 1),
        rivals=3,
        verdicts=["cpu_starved"],
        only=True,
        figure=running,
    ),
]
