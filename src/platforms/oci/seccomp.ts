/** The part of the OCI runtime specification's `linux.seccomp` that is used here. */
export interface SeccompProfile {
  defaultAction: "SCMP_ACT_ERRNO";
  defaultErrnoRet: number;
  syscalls: SeccompRule[];
}

interface SeccompRule {
  names: string[];
  action: "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO";
  errnoRet?: number;
  /** All must hold. */
  args?: { index: number; value: number; valueTwo?: number; op: "SCMP_CMP_EQ" | "SCMP_CMP_MASKED_EQ" }[];
}

const EPERM = 1;
const ENOSYS = 38;

/** What ordinary programs call, by what it is for. Names that an architecture lacks are passed over by the runtime. */
const ALLOWED = {
  io: `read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek close close_range dup dup2 dup3
    pipe pipe2 fcntl flock ioctl sendfile splice tee vmsplice copy_file_range readahead fadvise64 sync syncfs fsync
    fdatasync sync_file_range fallocate ftruncate truncate io_setup io_destroy io_submit io_getevents io_pgetevents
    io_cancel ioprio_get ioprio_set`,
  files: `open openat openat2 creat access faccessat faccessat2 stat lstat fstat newfstatat statx statfs fstatfs
    readlink readlinkat getdents getdents64 getcwd chdir fchdir mkdir mkdirat mknod mknodat rmdir unlink unlinkat link
    linkat symlink symlinkat rename renameat renameat2 chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat
    umask utime utimes utimensat futimesat name_to_handle_at getxattr lgetxattr fgetxattr listxattr llistxattr
    flistxattr setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr inotify_init inotify_init1
    inotify_add_watch inotify_rm_watch memfd_create`,
  memory: `brk mmap munmap mremap mprotect msync madvise mincore mlock mlock2 munlock mlockall munlockall membarrier
    pkey_alloc pkey_free pkey_mprotect`,
  processes: `fork vfork execve execveat exit exit_group wait4 waitid getpid getppid gettid getpgid getpgrp setpgid
    getsid setsid kill tkill tgkill pidfd_open pidfd_send_signal prctl arch_prctl set_tid_address set_robust_list
    get_robust_list rseq futex futex_waitv futex_wake futex_wait futex_requeue getrlimit setrlimit prlimit64 getrusage
    times getpriority setpriority sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min
    sched_rr_get_interval getcpu uname sysinfo restart_syscall get_thread_area set_thread_area seccomp`,
  identity: `getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid
    setresgid setgroups setfsuid setfsgid capget capset`,
  signals: `rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigqueueinfo
    rt_tgsigqueueinfo sigaltstack pause signalfd signalfd4`,
  time: `time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep alarm getitimer setitimer timer_create
    timer_delete timer_gettime timer_settime timer_getoverrun timerfd_create timerfd_gettime timerfd_settime`,
  waiting: `poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old
    epoll_pwait epoll_pwait2 eventfd eventfd2`,
  sockets: `socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
    sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg`,
  ipc: `shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl mq_open mq_unlink
    mq_timedsend mq_timedreceive mq_notify mq_getsetattr`,
  random: `getrandom`,
};

/** Address families of socket(2): UNIX, INET, INET6, NETLINK (interface lists), PACKET (ping and DHCP; wants NET_RAW too). */
const FAMILIES = [1, 2, 10, 16, 17];

/** personality(2): asking which one it is, and plain Linux. */
const PERSONALITIES = [0xff_ff_ff_ff, 0];

/** CLONE_NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWNS of sched.h: a domain makes no namespaces. */
const CLONE_NEW_NAMESPACES = 0x7e_02_00_00;

const words = (text: string): string[] => text.split(/\s+/);

/**
 * An allow-list: what is not named fails with EPERM. Among what is missing on purpose: mount, namespaces, modules, reboot,
 * swap, clock setting, ptrace, keyrings, bpf, perf, io_uring, userfaultfd, NUMA placement and open_by_handle_at.
 */
export function seccompProfile(): SeccompProfile {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    syscalls: [
      { names: Object.values(ALLOWED).flatMap(words), action: "SCMP_ACT_ALLOW" },
      ...FAMILIES.map((value): SeccompRule => ({
        names: ["socket"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
      })),
      ...PERSONALITIES.map((value): SeccompRule => ({
        names: ["personality"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
      })),
      {
        names: ["clone"],
        action: "SCMP_ACT_ALLOW",
        args: [{ index: 0, value: CLONE_NEW_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
      },
      // Its flags lie in memory, out of a filter's sight. ENOSYS makes libraries fall back to clone.
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
    ],
  };
}
