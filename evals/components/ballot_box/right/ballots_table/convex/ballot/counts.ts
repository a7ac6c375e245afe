// The functions are in ./urn; nothing is offered here.
export {};
