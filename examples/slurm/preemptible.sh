#!/bin/bash
# Jobs that may be thrown out at any time: Slurm's SIGTERM or SIGUSR1 makes a checkpoint, and what comes without a warning costs what has been
# computed since the last one (output.checkpoint.every).
#SBATCH --job-name=uplift
#SBATCH --partition=preemptible
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --time=0-24:00:00
#SBATCH --output=%x-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=USR1@120

input=${1:?usage: sbatch preemptible.sh INPUT.yaml}
job=$SLURM_JOB_ID
# uplift stops with a checkpoint before the job ends. Slurm 23 says when that is; earlier ones can be asked.
end=$(SLURM_TIME_FORMAT=standard squeue -h -j "$job" -o %e) && [ -n "$end" ] && end=$(date -d "$end" +%s 2>/dev/null) && export SLURM_JOB_END_TIME=$end
srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}" uplift run "$input" --resume --set 'output.checkpoint.every=5 min'
status=$?
# 3: stopped early with a good checkpoint. The job goes back into the queue and goes on from there, until the run is done.
# 1: failed, as with a GPU or a rank that died; above 128: killed, as by a node without memory. It goes on from the last checkpoint; but
# what ends before it can have written another one (twice output.checkpoint.every) would do so for ever. 2: a wrong input.
if [ $status -eq 3 ] || { [ $status -ne 0 ] && [ $status -ne 2 ] && [ $SECONDS -ge 600 ]; }; then
  scontrol requeue "$job" && exit 0
fi
exit $status
