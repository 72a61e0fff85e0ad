"""What is computed from estimates: functions that return frozen results."""
