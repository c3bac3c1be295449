//! What a write has to pass before its reply: from then on nobody is handed what it has made wrong.

use std::pin::Pin;
use std::sync::LazyLock;

use passerelle_cache::Touched;
use passerelle_statement::Statement;
use passerelle_wire::ResultSet;

/// Sees to it that no gateway hands out what a commit has made wrong.
pub trait Fence: Send + Sync {
    /// A transaction was committed. Returns as soon as its reply may be sent.
    fn pass(&self, xid: u32, touched: Touched) -> FencePassed<'_>;
}

/// When a write has passed.
pub type FencePassed<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// What is asked at the end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Which tables it has changed.
    Asked,
    /// The same, after its deferred triggers have run.
    Checked,
}

/// The way of writes past the fence.
#[derive(Clone, Copy)]
pub struct Writes<'a> {
    fence: &'a dyn Fence,
    closing: Closing,
}

/// The transaction, if it has written anything at all, and what its triggers have noted.
const ASK: &str = "select pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, \
                   pg_catalog.current_setting('passerelle.touched', true)";

static CLOSING: LazyLock<[Statement; 2]> = LazyLock::new(|| {
    [
        Statement::plain("set constraints all immediate"),
        Statement::plain(ASK),
    ]
});

impl Closing {
    /// The statements: the row of the last one tells [`Noted::read`].
    pub fn statements(self) -> &'static [Statement] {
        match self {
            Self::Asked => &CLOSING[1..],
            Self::Checked => &*CLOSING,
        }
    }
}

impl<'a> Writes<'a> {
    /// A way past this fence, for transactions that end with these statements.
    pub fn new(fence: &'a dyn Fence, closing: Closing) -> Self {
        Self { fence, closing }
    }

    /// What is to be asked at the end of the transaction.
    pub fn closing(self) -> Closing {
        self.closing
    }

    /// Waits until the reply to a transaction may be sent, which has been committed and has told
    /// this at its end.
    pub async fn pass(self, noted: Option<Noted>) {
        if let Some(Noted { xid, touched }) = noted {
            self.fence.pass(xid, touched).await;
        }
    }
}

/// What a transaction tells at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    xid: u32,
    touched: Touched,
}

impl Noted {
    /// Reads the row of the closing statement; nothing if nothing was written that is followed.
    pub fn read(result: &ResultSet) -> Option<Self> {
        let xid: u64 = result.closing(0)?.parse().ok()?;
        let touched = Touched::parse(result.closing(1)?);
        let xid = u32::try_from(xid & u64::from(u32::MAX)).unwrap_or_default();
        (!touched.is_empty()).then_some(Self { xid, touched })
    }
}
