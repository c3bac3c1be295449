//! Renders a Plan as a Statement.
