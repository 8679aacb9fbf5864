import ts from 'typescript';

const compilerOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  types: ['node'],
  skipLibCheck: true,
};

/** The operators' own interfaces, which nobody names: `torch` and `Tensor` are these. */
const generatedOperators = /^(TensorMethods|TorchFunctions|Namespaces|\w+Operators)$/;

/**
 * The types of a package that its exported signatures name, at any depth, and that it does not export.
 * @param entry its declaration file, in the folder of all of them
 * @returns `type < where < it < is < named`
 */
export function unexportedTypes(entry: string): string[] {
  const folder = entry.slice(0, entry.lastIndexOf('/') + 1);
  const program = ts.createProgram([entry], compilerOptions);
  const checker = program.getTypeChecker();
  const target = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const exportsOf = (module: ts.Symbol): ts.Symbol[] => checker.getExportsOfModule(module).map(target);
  const source = program.getSourceFile(entry);
  const entrance = source && checker.getSymbolAtLocation(source);
  if (entrance === undefined) throw new Error(`${entry} is no module`);
  const exported = new Set(exportsOf(entrance));
  const seen = new Set<ts.Symbol>();
  const missing: string[] = [];

  const visit = (symbol: ts.Symbol, path: string[]): void => {
    if (seen.has(symbol)) return;
    seen.add(symbol);
    for (const declaration of symbol.declarations ?? []) {
      if (!declaration.getSourceFile().fileName.startsWith(folder)) continue;
      if (ts.isSourceFile(declaration)) exportsOf(symbol).forEach((member) => visit(member, path));
      else if (!ts.isTypeParameterDeclaration(declaration) && !generatedOperators.test(symbol.name)) {
        const trail = [symbol.name, ...path];
        if (isType(declaration) && !exported.has(symbol)) missing.push(trail.join(' < '));
        walk(declaration, trail);
      }
    }
  };
  const walk = (node: ts.Node, path: string[]): void => {
    if (ts.canHaveModifiers(node) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) return;
    const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    if (symbol) visit(target(symbol), path);
    ts.forEachChild(node, (child) => walk(child, path));
  };
  exported.forEach((symbol) => visit(symbol, []));
  return missing;
}

const isType = (node: ts.Node): boolean =>
  ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node);
