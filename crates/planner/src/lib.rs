//! ApiRequest and Catalog turned into a Plan that holds all that later stages need.
