"""The outside world, write side: plan, approve, apply, undo. Nothing is sent that no plan named."""
