//! The system calls that a role needs, by seccomp: a list of what is allowed; everything else answers EPERM.
//!
//! EPERM and not the end of the process: a call that a later C library makes must not stop a town's recording.

use crate::{Limits, Sockets};
use libc::{AF_INET, AF_INET6, AF_UNIX, CLONE_THREAD, ENOSYS, EPERM, SOCK_DGRAM, SOCK_STREAM, c_int, c_long};
use seccompiler::{
    BackendError, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// The kind of a socket without its flags (linux/net.h, SOCK_TYPE_MASK).
const KIND_MASK: u64 = 0xf;
/// What the kernel told this process at its start (linux/prctl.h).
const PR_GET_AUXV: c_int = 0x4155_5856;
/// For all threads, names of memory and of threads; nothing that undoes what K11 asks (PR_SET_DUMPABLE).
const PRCTL: [c_int; 5] = [PR_GET_AUXV, libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_GET_DUMPABLE, libc::PR_SET_VMA];
/// Of files and sockets that the C and the Rust library ask: nothing that types into a terminal (TIOCSTI).
const IOCTL: [u64; 5] = [libc::FIONBIO, libc::FIONREAD, libc::FIOCLEX, libc::TCGETS, libc::TIOCGWINSZ];

/// Memory, threads, time, files, sockets, waiting: what SQLite, tokio and the C library use, on every processor.
const EVERYWHERE: &[c_long] = &[
    // memory
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_msync,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_munlock,
    libc::SYS_mlockall,
    // threads and signals to oneself
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_getcpu,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getpriority,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // time; adjtimex reads whether a time server is heard (K9), setting takes a right that was given up
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_times,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    // chance
    libc::SYS_getrandom,
    // files
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_lseek,
    libc::SYS_openat,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_readlinkat,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_umask,
    libc::SYS_utimensat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_syncfs,
    libc::SYS_sync_file_range,
    libc::SYS_fallocate,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fadvise64,
    libc::SYS_readahead,
    libc::SYS_flock,
    libc::SYS_fcntl,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_splice,
    // waiting
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    // sockets that are there or may be made
    libc::SYS_connect,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_shutdown,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
];

/// Older names of the same on this processor.
#[cfg(target_arch = "x86_64")]
const OLDER: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_chmod,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_wait,
    libc::SYS_pipe,
    libc::SYS_dup2,
    libc::SYS_time,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// What a maker's library of a token asks beside: shared memory, semaphores, its devices.
const FOREIGN: &[c_long] = &[
    libc::SYS_socket,
    libc::SYS_ioctl,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmdt,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semctl,
    libc::SYS_semtimedop,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_rm_watch,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
];

/// 1 a word for the C library that `clone3`, whose flags no filter can read, is not there: it takes `clone` then · 2 the list, which
/// lets no further filter in. Of two filters the stricter answer counts.
pub fn enter(limits: &Limits) -> Result<(), Error> {
    let absent = BTreeMap::from([(libc::SYS_clone3, vec![])]);
    apply(absent, SeccompAction::Allow, SeccompAction::Errno(ENOSYS as u32))?; // 1
    apply(allowed(limits)?, SeccompAction::Errno(EPERM as u32), SeccompAction::Allow) // 2
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn apply(rules: Rules, otherwise: SeccompAction, named: SeccompAction) -> Result<(), Error> {
    let filter = SeccompFilter::new(rules, otherwise, named, std::env::consts::ARCH.try_into()?)?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    apply_filter_all_threads(&program)
}

fn allowed(limits: &Limits) -> Result<Rules, BackendError> {
    let mut rules: Rules = EVERYWHERE.iter().chain(OLDER).map(|call| (*call, vec![])).collect();
    let me = u64::from(std::process::id());
    rules.insert(libc::SYS_clone3, vec![]); // answered by the first filter
    rules.insert(libc::SYS_clone, vec![rule(&[masked(0, CLONE_THREAD as u64, CLONE_THREAD as u64)])?]);
    rules.insert(libc::SYS_tgkill, vec![rule(&[is(0, me)])?]); // abort(3)
    rules.insert(libc::SYS_prlimit64, vec![rule(&[is(0, 0), null(2)])?]); // reads its own
    rules.insert(libc::SYS_prctl, any_of(PRCTL.iter().map(|option| is(0, *option as u64)))?);
    rules.insert(libc::SYS_ioctl, any_of(IOCTL.iter().map(|request| is(1, *request)))?);
    if limits.sockets != Sockets::None {
        rules.insert(libc::SYS_socketpair, vec![rule(&[is(0, AF_UNIX as u64)])?]);
        let mut sockets = vec![rule(&[is(0, AF_UNIX as u64)])?];
        for kind in kinds(limits.sockets) {
            for family in [AF_INET, AF_INET6] {
                sockets.push(rule(&[is(0, family as u64), masked(1, KIND_MASK, *kind as u64)])?);
            }
        }
        rules.insert(libc::SYS_socket, sockets);
    }
    if limits.foreign_library {
        rules.extend(FOREIGN.iter().map(|call| (*call, vec![])));
    }
    Ok(rules)
}

fn kinds(sockets: Sockets) -> &'static [c_int] {
    match sockets {
        Sockets::None | Sockets::Unix => &[],
        Sockets::Tcp => &[SOCK_STREAM],
        Sockets::TcpAndNames => &[SOCK_STREAM, SOCK_DGRAM],
    }
}

/// An argument's place, its width, how it is compared, with what.
type Condition = (u8, SeccompCmpArgLen, SeccompCmpOp, u64);

fn is(place: u8, value: u64) -> Condition {
    (place, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

fn masked(place: u8, mask: u64, value: u64) -> Condition {
    (place, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)
}

fn null(place: u8) -> Condition {
    (place, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

fn rule(conditions: &[Condition]) -> Result<SeccompRule, BackendError> {
    let conditions = conditions.iter().cloned();
    let made = conditions.map(|(place, width, how, value)| SeccompCondition::new(place, width, how, value));
    SeccompRule::new(made.collect::<Result<_, _>>()?)
}

fn any_of(conditions: impl Iterator<Item = Condition>) -> Result<Vec<SeccompRule>, BackendError> {
    conditions.map(|condition| rule(&[condition])).collect()
}
