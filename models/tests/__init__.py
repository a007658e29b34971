"""One thread: several would spin for cores that other processes have."""
import torch

torch.set_num_threads(1)
