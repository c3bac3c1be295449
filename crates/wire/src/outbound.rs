//! Turns the statements of a flight into one run of messages.
//! It never writes to the socket and never waits.

use std::io;

use bytes::{BufMut as _, BytesMut};
use passerelle_statement::Param;
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend::{self, BindError};

use crate::error::WireError;
use crate::flight::Scope;
use crate::prepared::{Prepared, PreparedStatements};

/// Beyond this capacity, in bytes, a buffer is given back after the flight that needed it.
const KEPT_CAPACITY: usize = 64 * 1024;

/// The messages of one flight and what they will prepare.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    pub(crate) buffer: BytesMut,
    /// What this flight parses, in order, kept once the server has confirmed it.
    parsing: Vec<(u64, Prepared)>,
    /// The statements prepared by earlier flights that this one uses.
    pub(crate) reused: Vec<u64>,
}

impl Outbound {
    /// Starts a flight: drops what an earlier one left and closes what the cache gave up.
    pub(crate) fn begin(&mut self, prepared: Option<&mut PreparedStatements>) -> io::Result<()> {
        self.reset();
        if let Some(prepared) = prepared {
            for name in prepared.take_closing() {
                frontend::close(b'S', &name, &mut self.buffer)?;
            }
        }
        Ok(())
    }

    /// Adds one statement: `Parse` when the server does not know it yet, `Bind`, `Describe` when
    /// asked for, `Execute`.
    pub(crate) fn statement(
        &mut self,
        prepared: Option<&mut PreparedStatements>,
        scope: Option<&Scope>,
        (text, params): (&str, &[Param]),
        describe: bool,
    ) -> Result<(), WireError> {
        if let Some(prepared) = prepared {
            self.prepared(prepared, scope, text, params)?;
        } else {
            frontend::parse("", text, [], &mut self.buffer).map_err(WireError::Encode)?;
            bind("", params, &mut self.buffer)?;
        }
        if describe {
            frontend::describe(b'P', "", &mut self.buffer).map_err(WireError::Encode)?;
        }
        frontend::execute("", 0, &mut self.buffer).map_err(WireError::Encode)
    }

    fn prepared(
        &mut self,
        prepared: &mut PreparedStatements,
        scope: Option<&Scope>,
        text: &str,
        params: &[Param],
    ) -> Result<(), WireError> {
        let key = prepared.key(scope, text);
        if let Some(name) = prepared.name(key, scope, text) {
            self.reused.push(key);
            return bind(name, params, &mut self.buffer);
        }
        if let Some((_, twin)) = self.parsing.iter().find(|(_, other)| other.is(scope, text)) {
            return bind(&twin.name, params, &mut self.buffer);
        }
        let name = prepared.fresh_name();
        frontend::parse(&name, text, [], &mut self.buffer).map_err(WireError::Encode)?;
        bind(&name, params, &mut self.buffer)?;
        self.parsing.push((
            key,
            Prepared {
                scope: scope.cloned(),
                text: text.to_owned(),
                name,
            },
        ));
        Ok(())
    }

    pub(crate) fn sync(&mut self) {
        frontend::sync(&mut self.buffer);
    }

    /// Moves what the server has confirmed, the first `confirmed` statements, into the cache.
    pub(crate) fn confirm(&mut self, confirmed: usize, prepared: &mut PreparedStatements) {
        for (key, statement) in self.parsing.drain(..).take(confirmed) {
            prepared.insert(key, statement);
        }
    }

    /// Forgets the flight.
    pub(crate) fn reset(&mut self) {
        self.parsing.clear();
        self.reused.clear();
        self.buffer.clear();
    }

    /// Gives the memory back that a large flight needed, once it has been sent.
    pub(crate) fn trim(&mut self) {
        if self.buffer.capacity() > KEPT_CAPACITY {
            self.buffer = BytesMut::new();
        }
    }
}

fn bind(name: &str, params: &[Param], buffer: &mut BytesMut) -> Result<(), WireError> {
    let bound = frontend::bind(
        "",
        name,
        [],
        params,
        |param, buffer| {
            Ok(match param {
                None => IsNull::Yes,
                Some(text) => {
                    buffer.put_slice(text);
                    IsNull::No
                }
            })
        },
        [],
        buffer,
    );
    bound.map_err(|error| {
        WireError::Encode(match error {
            BindError::Conversion(source) => io::Error::other(source),
            BindError::Serialization(source) => source,
        })
    })
}
