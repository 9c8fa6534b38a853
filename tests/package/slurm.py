"""A Slurm of its own on this machine, in a folder of its own: munged, slurmctld and slurmd on free ports, without systemd, cgroups or a database.

    with Slurm(folder) as slurm:
        slurm.command("sbatch", "job.sh")

Needs root, as slurmd does. Daemons end with the block, and with the process.
"""
import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "srun", "sinfo", "scancel")


def missing():
    """Why there can be no Slurm here; empty: there can."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"
    absent = [p for p in PROGRAMS if not shutil.which(p)]
    if absent:
        return "no " + ", ".join(absent) + " (Debian: slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge)"
    return "" if os.geteuid() == 0 else "slurmd needs root"


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def end_with_parent():
    """Even one that is killed leaves no daemon behind: prctl(PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class CannotStart(Exception):
    """Something about this machine: there is nothing of ours in it yet."""


class Slurm:
    def __init__(self, folder, cpus=8):
        self.folder, self.cpus, self.daemons = folder, cpus, []
        self.env = dict(os.environ, SLURM_CONF=os.path.join(folder, "slurm.conf"))

    def __enter__(self):
        atexit.register(self.stop)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            self.start()
        except AssertionError as e:
            self.stop()
            raise CannotStart(str(e)) from e
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        inside = lambda *names: os.path.join(self.folder, *names)
        os.chmod(self.folder, 0o755)
        for name in ("state", "spool", "munge", "tmp"):
            os.makedirs(inside(name), mode=0o755)
        with open(inside("munge", "key"), "wb") as f:
            f.write(os.urandom(1024))
        os.chmod(inside("munge", "key"), 0o400)
        controller, node = free_ports(2)
        host = socket.gethostname().split(".")[0]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20) - 512
        with open(self.env["SLURM_CONF"], "w") as f:
            f.write(f"""ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={inside("munge", "socket")},cred_expire=5
CredType=cred/munge
StateSaveLocation={inside("state")}
SlurmdSpoolDir={inside("spool")}
TmpFS={inside("tmp")}
SlurmctldPidFile={inside("slurmctld.pid")}
SlurmdPidFile={inside("slurmd.pid")}
SlurmctldLogFile={inside("slurmctld.log")}
SlurmdLogFile={inside("slurmd.log")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=100000
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
JobRequeue=1
KillWait=5
MinJobAge=300
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 CPUs={self.cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={self.cpus} ThreadsPerCore=1 RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF
""")
        with open(inside("cgroup.conf"), "w") as f:
            f.write("CgroupPlugin=cgroup/v1\n")  # nothing uses it; looking for the right one fails where /sys is not mounted
        munge = inside("munge")
        self.spawn("munged", "--foreground", "--force", f"--socket={munge}/socket", f"--key-file={munge}/key", f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        self.wait(lambda: os.path.exists(munge + "/socket"), "munged")
        self.spawn("slurmctld", "-D", "-c")
        self.spawn("slurmd", "-D", "-c", "-N", "node1")
        self.wait(lambda: "idle" in self.command("sinfo", "-h", "-o", "%T", check=False), "slurmd")

    def spawn(self, *command):
        with open(os.path.join(self.folder, command[0] + ".out"), "w") as out:
            self.daemons.append(subprocess.Popen(command, env=self.env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=end_with_parent))

    def command(self, *command, check=True):
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60, cwd=self.folder)
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.strip()

    def wait(self, condition, what, seconds=60):
        limit = time.time() + seconds
        while not condition():
            ended = [d.args[0] for d in self.daemons if d.poll() is not None]
            assert not ended, f"{what}: {ended} have ended\n{self.logs()}"
            assert time.time() < limit, f"{what}: nothing for {seconds} s\n{self.logs()}"
            time.sleep(0.1)

    def logs(self):
        text = ""
        for name in ("munged.out", "slurmctld.out", "slurmctld.log", "slurmd.out", "slurmd.log"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    text += f"--- {name}\n" + "".join(f.readlines()[-15:])
        return text

    def stop(self):
        """Jobs first, then daemons, those that will not go by force."""
        if not self.daemons:
            return
        try:
            self.command("scancel", "--full", "--signal=KILL", "--user=root", check=False)
            self.command("scancel", "--user=root", check=False)
            time.sleep(0.5)
        except Exception:
            pass
        for how, seconds in ((signal.SIGTERM, 8), (signal.SIGKILL, 5)):
            for daemon in reversed(self.daemons):
                if daemon.poll() is None:
                    daemon.send_signal(how)
            limit = time.time() + seconds
            while any(d.poll() is None for d in self.daemons) and time.time() < limit:
                time.sleep(0.05)
        self.daemons = []
