"""Names that a generated file or symbol must not take: those of C, C++, POSIX, Arduino and of file systems. Data only.

``NAME.h`` in an include path hides the header of that name from everything that is built there, and a function of that name
replaces the library's. Compared in lower case: file systems of macOS and Windows do not tell ``Wire.h`` from ``wire.h``.
"""

KEYWORDS = """
    alignas alignof and and_eq asm atomic_cancel atomic_commit atomic_noexcept auto bitand bitor bool break bufsiz case
    catch char char16_t char32_t char8_t class clock_t co_await co_return co_yield compl concept const const_cast consteval
    constexpr constinit continue contract_assert decltype default delete div_t do double dynamic_cast else enum eof explicit
    export extern false fenv_t fexcept_t file final float for fortran fpos_t friend goto id_t if imaginary import infinity
    inline int int16_t int32_t int64_t int8_t intmax_t intptr_t jmp_buf lconv ldiv_t linux lldiv_t long max_align_t
    mbstate_t mode_t module mutable namespace nan new noexcept noreturn not not_eq null nullptr nullptr_t off_t once_flag
    operator or or_eq override pid_t post pre private protected ptrdiff_t public reflexpr register reinterpret_cast
    replaceable_if_eligible requires restrict return short sig_atomic_t signed size_t sizeof ssize_t static static_assert
    static_cast stdc struct switch synchronized template this thread_local throw time_t timespec tm
    trivially_relocatable_if_eligible true try typedef typeid typename typeof typeof_unqual uint16_t uint32_t uint64_t
    uint8_t uintmax_t uintptr_t union unix unsigned using va_list virtual void volatile wchar_t while wint_t xor xor_eq
"""
"""Keywords of C23 and C++26 with the alternative tokens, contextual ones included; names of types and macros of the C library."""

C_HEADERS = """
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic stdbit
    stdbool stdckdint stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
"""
"""Every header of C23 (ISO/IEC 9899:2024, 7.1.2), without its .h."""

CPP_HEADERS = """
    algorithm any array atomic barrier bit bitset cassert ccomplex cctype cerrno cfenv cfloat charconv chrono cinttypes
    ciso646 climits clocale cmath codecvt compare complex concepts condition_variable contracts coroutine csetjmp csignal
    cstdalign cstdarg cstdbool cstddef cstdint cstdio cstdlib cstring ctgmath ctime cuchar cwchar cwctype debugging deque
    exception execution expected filesystem flat_map flat_set format forward_list fstream functional future generator
    hazard_pointer hive initializer_list inplace_vector iomanip ios iosfwd iostream istream iterator latch limits linalg
    list locale map mdspan memory memory_resource meta mutex new numbers numeric optional ostream print queue random ranges
    ratio rcu regex scoped_allocator semaphore set shared_mutex simd source_location span spanstream sstream stack
    stacktrace std stdexcept stdfloat stop_token streambuf string string_view strstream syncstream system_error
    text_encoding thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector
    version
"""
"""Every header of C++98 to C++26 ([headers]), and the namespace std."""

POSIX_HEADERS = """
    aio aliases alloca ar argp argz arm_acle arm_bf16 arm_cde arm_fp16 arm_mve arm_neon arm_sve arpa byteswap cpio cpuid
    crypt curses devctl dirent dlfcn elf emmintrin endian envz epoll err error eventfd execinfo fcntl features fmtmsg
    fnmatch fpregdef fpu_control fstab fts ftw gconv getopt glob grp gshadow iconv ieee754 ifaddrs immintrin inet inotify
    intrinsics ioctl ipc langinfo lastlog libgen libintl link malloc mcheck memory mm_malloc mman mntent monetary mqueue msg
    ndbm netdb netinet newlib nl_types nss obstack param paths picolibc poll prctl proc_service pthread pty pwd queue
    re_comp reboot reent regdef regex regexp resolv resource riscv_vector sched search select sem semaphore sgidefs sgtty
    shadow shm signalfd socket spawn stab stat statfs statvfs stdio_ext strings stropts sys syscall sysexits sysinfo syslog
    sysmacros tar tcp term termcap termio termios thread_db timeb timerfd times timex trace ttyent types ucontext udp uio
    ulimit un unctrl unistd unwind user utime utmp utmpx utsname values varargs wait wasm_simd128 wordexp x86intrin xattr
"""
"""Headers of POSIX.1-2024, of glibc and newlib beside them, and those that compilers bring; also by the name of their folder."""

FUNCTIONS = """
    a64l abort abs accept accept4 access acct addmntent adjtime adjtimex advance alarm aligned_alloc alphasort arc4random
    arc4random_buf arc4random_uniform arch_prctl asctime asprintf at_quick_exit atexit atof atoi atol atoll backtrace
    backtrace_symbols backtrace_symbols_fd basename bcmp bcopy bind brk bsd_signal bsearch btowc bzero c16rtomb c32rtomb
    c8rtomb call_once calloc capget capset catclose catgets catopen cfgetispeed cfgetospeed cfmakeraw cfree cfsetispeed
    cfsetospeed cfsetspeed chdir chflags chmod chown chroot clearenv clearerr clock clock_adjtime clock_getcpuclockid
    clock_getres clock_gettime clock_nanosleep clock_settime clone close close_range closedir closefrom closelog confstr
    connect copy_file_range creat ctermid ctime cuserid daemon daylight dcgettext dcngettext dgettext difftime dirfd dirname
    div dlclose dlerror dlopen dlsym dngettext dprintf drand48 dup dup2 dup3 duplocale dysize eaccess ecvt endusershell
    environ erand48 err errno error errx ether_aton ether_hostton ether_line ether_ntoa ether_ntohost euidaccess execl
    execle execlp execv execve execveat execvp execvpe exit explicit_bzero faccessat fallocate fattach fchdir fchflags
    fchmod fchmodat fchown fchownat fclose fcloseall fcntl fcvt fdatasync fdetach fdopen fdopendir feclearexcept
    fedisableexcept feenableexcept fegetenv fegetexcept fegetexceptflag fegetmode fegetround feholdexcept feof feraiseexcept
    ferror fesetenv fesetexcept fesetexceptflag fesetmode fesetround fetestexcept fetestexceptflag feupdateenv fexecve
    fflush ffs ffsl ffsll fgetc fgetpos fgets fgetwc fgetws fgetxattr fileno flistxattr flock flockfile fmemopen fmtmsg
    fnmatch fopen fopencookie fork forkpty fpathconf fprintf fputc fputs fputwc fputws fread free freeaddrinfo freeifaddrs
    freelocale fremovexattr freopen fscanf fseek fseeko fsetpos fsetxattr fstat fstatat fstatfs fstatvfs fsync ftell ftello
    ftime ftok ftruncate ftrylockfile ftw funlockfile futimens futimes futimesat fwide fwprintf fwrite fwscanf gai_strerror
    gcvt get_current_dir_name getaddrinfo getauxval getc getchar getcontext getcpu getcwd getdate getdate_err getdelim
    getdirentries getdomainname getdtablesize getentropy getenv getfsfile getfsspec getgrouplist getgroups gethostid
    gethostname getifaddrs getitimer getline getloadavg getlogin getmsg getnameinfo getopt getopt_long getopt_long_only
    getpagesize getpass getpeername getpgrp getpid getpmsg getppid getpriority getpw getrandom getrlimit getrusage gets
    getsid getsockname getsockopt getsubopt gettext gettid gettimeofday getusershell getutid getutline getutmp getutmpx
    getutxid getutxline getw getwc getwchar getwd getxattr glob globfree gmtime grantpt group_member gsignal gtty h_errlist
    hasmntopt hcreate hdestroy herror hsearch hstrerror htonl htons iconv iconv_close iconv_open if_freenameindex
    if_indextoname if_nameindex if_nametoindex imaxabs imaxdiv index inet_addr inet_aton inet_lnaof inet_makeaddr inet_netof
    inet_network inet_nsap_addr inet_nsap_ntoa inet_ntoa inet_ntop inet_pton initgroups initstate insque ioctl ioperm iopl
    isalnum isalpha isascii isastream isatty isblank iscntrl isctype isdigit isfdtype isgraph isinf islower isprint ispunct
    isspace isupper iswalnum iswalpha iswblank iswcntrl iswctype iswdigit iswgraph iswlower iswprint iswpunct iswspace
    iswupper iswxdigit isxdigit jrand48 kill killpg l64a labs lchmod lchown lcong48 ldiv lfind lgetxattr link linkat listen
    listxattr llabs lldiv llistxattr llseek loc1 loc2 localeconv localtime lockf locs login login_tty logout logwtmp longjmp
    lrand48 lremovexattr lsearch lseek lsetxattr lstat lutimes madvise main makecontext mallinfo mallinfo2 malloc mallopt
    matherr mblen mbrlen mbrtoc16 mbrtoc32 mbrtoc8 mbrtowc mbsinit mbsnrtowcs mbsrtowcs mbstowcs mbtowc mcount memalign
    memccpy memchr memcmp memcpy memfd_create memfrob memmem memmove mempcpy memrchr memset mincore mkdir mkdirat mkdtemp
    mkfifo mkfifoat mknod mknodat mkostemp mkostemps mkstemp mkstemps mktemp mktime mlock mlock2 mlockall mmap modify_ldt
    mprobe mprotect mrand48 mremap msgctl msgget msgrcv msgsnd msync mtrace munlock munlockall munmap muntrace nanosleep
    newlocale nftw ngettext nice nl_langinfo nrand48 ntohl ntohs ntp_adjtime ntp_gettime ntp_gettimex offsetof on_exit open
    open_memstream open_wmemstream openat opendir openlog openpty optarg opterr optind optopt pathconf pause pclose perror
    personality pipe pipe2 pivot_root poll popen ppoll prctl pread preadv preadv2 printf prlimit profil pselect psiginfo
    psignal ptrace ptsname putc putchar putenv putmsg putpmsg puts pututline pututxline putw putwc putwchar pvalloc pwrite
    pwritev pwritev2 qecvt qfcvt qgcvt qsort quick_exit quotactl raise rand random rawmemchr read readahead readdir readlink
    readlinkat readv realloc reallocarray realpath reboot recv recvfrom recvmmsg recvmsg regcomp regerror regexec regfree
    remap_file_pages remove removexattr remque rename renameat renameat2 revoke rewind rewinddir rindex rmdir rpmatch sbrk
    scandir scandirat scanf secure_getenv seed48 seekdir select semctl semget semop semtimedop send sendfile sendmmsg
    sendmsg sendto setbuf setbuffer setcontext setdomainname setegid setenv seteuid setfsgid setfsuid setgid setgroups
    sethostid sethostname setitimer setjmp setlinebuf setlocale setlogin setlogmask setns setpgid setpgrp setpriority
    setregid setresgid setresuid setreuid setrlimit setsid setsockopt setstate settimeofday setuid setusershell setvbuf
    setxattr shm_open shm_unlink shmat shmctl shmdt shmget shutdown sigaction sigaddset sigaltstack sigandset sigblock
    sigdelset sigemptyset sigfillset siggetmask sighold sigignore siginterrupt sigisemptyset sigismember siglongjmp signal
    signalfd signgam sigorset sigpause sigpending sigprocmask sigqueue sigrelse sigreturn sigset sigsetmask sigstack
    sigsuspend sigtimedwait sigvec sigwait sigwaitinfo sleep snprintf sockatmark socket socketpair splice sprintf sprofil
    srand srand48 srandom sscanf ssignal stat statfs statvfs statx stderr stdin stdout step stime stpcpy stpncpy strcasecmp
    strcasestr strcat strchr strchrnul strcmp strcoll strcpy strcspn strdup strerror strfmon strfromd strfromf strfry
    strftime strlen strncasecmp strncat strncmp strncpy strndup strnlen strpbrk strptime strrchr strsep strsignal strspn
    strstr strtod strtof strtoimax strtok strtol strtold strtoll strtoq strtoul strtoull strtoumax strtouq strverscmp
    strxfrm stty swab swapcontext swapoff swapon swprintf swscanf symlink symlinkat sync sync_file_range syncfs syscall
    sysconf sysctl sysinfo syslog system sysv_signal tcdrain tcflow tcflush tcgetattr tcgetpgrp tcgetsid tcsendbreak
    tcsetattr tcsetpgrp tdelete tdestroy tee telldir tempnam textdomain tfind tgkill time timegm timelocal times
    timespec_get timespec_getres timezone tmpfile tmpnam toascii tolower toupper towctrans towlower towupper truncate
    tsearch ttyname ttyslot twalk tzname tzset ualarm ulimit umask umount umount2 uname ungetc ungetwc unlink unlinkat
    unlockpt unsetenv unshare uselib uselocale usleep ustat utime utimensat utimes va_arg va_copy va_end va_start valloc
    vasprintf vdprintf verr verrx versionsort vfork vfprintf vfscanf vfwprintf vfwscanf vhangup vlimit vmsplice vprintf
    vscanf vsnprintf vsprintf vsscanf vswprintf vswscanf vsyslog vtimes vwarn vwarnx vwprintf vwscanf wait wait3 wait4
    waitid waitpid warn warnx wcpcpy wcpncpy wcrtomb wcscasecmp wcscat wcschr wcschrnul wcscmp wcscoll wcscpy wcscspn wcsdup
    wcsftime wcslen wcsncasecmp wcsncat wcsncmp wcsncpy wcsnlen wcsnrtombs wcspbrk wcsrchr wcsrtombs wcsspn wcsstr wcstod
    wcstof wcstoimax wcstok wcstol wcstold wcstoll wcstombs wcstoq wcstoul wcstoull wcstoumax wcstouq wcswcs wcswidth
    wcsxfrm wctob wctomb wctrans wctype wcwidth wmemchr wmemcmp wmemcpy wmemmove wmempcpy wmemset wordexp wordfree wprintf
    write writev wscanf
"""
"""Functions and variables with external linkage of the C library and of POSIX (from the symbols of glibc 2.36)."""

MATH_FUNCTIONS = """
    acos acosh asin asinh atan atan2 atanh cabs cacos cacosh carg casin casinh catan catanh cbrt ccos ccosh ceil cexp cimag
    clog clog10 conj copysign cos cosh cpow cproj creal csin csinh csqrt ctan ctanh drem erf erfc exp exp10 exp2 expm1 fabs
    fdim finite floor fma fmax fmin fmod frexp gamma hypot ilogb isnan j0 j1 jn ldexp lgamma llrint llround log log10 log1p
    log2 logb lrint lround modf nan nearbyint nextafter nexttoward pow remainder remquo rint round roundeven scalb scalbln
    scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn
"""
"""Functions of <math.h> and <complex.h>; each exists with an f and an l behind it, too."""

PREFIXES = ("aio_", "atomic_", "cnd_", "memory_order_", "mq_", "mtx_", "posix_", "pthread_", "sched_", "sem_", "thrd_", "tss_")
"""Prefixes of names that C or POSIX reserves (C11, 7.31; POSIX, 2.2.2)."""

BOARD_NAMES = """
    abs analogread analogreadresolution analogreference analogwrite app_main arduino arduinoble arm_common_tables arm_math
    arm_nn_types arm_nnfunctions arm_nnsupportfunctions attachinterrupt autoconf avr binary bit bitclear bitread bitset
    bitwrite ble bluetooth board boards boolean boot byte cdc client cmsis cmsis_compiler cmsis_gcc cmsis_os cmsis_os2
    config constrain core_cm0 core_cm0plus core_cm3 core_cm33 core_cm4 core_cm55 core_cm7 croutine delay delaymicroseconds
    detachinterrupt device devicetree digitalpintoport digitalread digitalwrite eeprom esp32 esp8266 esp_err esp_heap_caps
    esp_log esp_system esp_timer esp_wifi ethernet event_groups ffat freertos fs fuse hal hardfault_handler hid high
    highbyte input input_pullup interrupt interrupts io iom ipaddress k_sleep kernel keyboard liquidcrystal list littlefs
    lock loop low lowbyte map max mbed micropython micros millis min mouse newlib_stubs nmi_handler nointerrupts
    notone nrf nvs_flash output pendsv_handler pgmspace pico pinmode pins_arduino platform portmacro power preferences print
    printable pulsein randomseed reset_handler rtos sd sdkconfig serial serial1 serial2 serial3 server servo setup sfr_defs
    shiftin shiftout sleep softwareserial spi spiffs sq startup stdlib_pico stepper stm32 stream svc_handler sys_init
    systemcoreclock systeminit systick_handler task tensorflow tflite ticker timers tone twi udp update usb usbapi variant
    vector_table wcharacter wdt webserver wifi wificlient wifinina wifiserver wifiudp wire word wprogram wstring zephyr
"""
"""Names of functions, macros and headers in sketches, board packages and operating systems of microcontrollers."""

FILE_NAMES = """
    aux cmakelists com1 com2 com3 com4 com5 com6 com7 com8 com9 component con example kconfig library lpt1 lpt2 lpt3 lpt4
    lpt5 lpt6 lpt7 lpt8 lpt9 makefile nul prn readme
"""
"""Names of files that are already beside generated C, and the names that Windows reserves for devices."""

_ALL = (KEYWORDS, C_HEADERS, CPP_HEADERS, POSIX_HEADERS, FUNCTIONS, MATH_FUNCTIONS, BOARD_NAMES, FILE_NAMES)

RESERVED = frozenset(" ".join(_ALL).split()) | {name + suffix for name in MATH_FUNCTIONS.split() for suffix in "fl"}
"""All of them, in lower case."""
