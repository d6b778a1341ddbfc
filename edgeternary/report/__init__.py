"""What people read: tables, JSON rows, estimates and the demo's report."""
