//! How far an import is, on a terminal; elsewhere nothing is shown.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use passerelle_import::{Progress, Stage};

const READING: &str = "{msg} [{bar:30}] {bytes} of {total_bytes}";
const WRITING: &str = "{msg} [{bar:30}] {pos} of {len} rows";

/// A bar on standard error, which goes when the import ends.
pub(super) struct Bar {
    bar: ProgressBar,
    stage: Option<Stage>,
}

impl Bar {
    pub(super) fn new() -> Self {
        let target = ProgressDrawTarget::stderr();
        Self {
            bar: ProgressBar::with_draw_target(None, target),
            stage: None,
        }
    }
}

impl Progress for Bar {
    fn at(&mut self, stage: Stage, done: u64, of: u64) {
        if self.stage != Some(stage) {
            self.stage = Some(stage);
            let (message, template) = match stage {
                Stage::Reading => ("Reading", READING),
                Stage::Writing => ("Writing", WRITING),
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
            self.bar.set_message(message);
        }
        self.bar.set_length(of);
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
